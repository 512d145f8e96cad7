/* Structural similarity of all pairs of K maps of 7 x 7. A map is one window, so that it needs two sums, and a pair the
 * sum of its products. They are integers below 2^22; the rest is double, in the order of ssim.py, to the same bits. */
#include "native.h"

#define CELLS 49
/* Filled up with zeros to whole vectors. */
#define PADDED 64

typedef struct {
    double *totals, *squares; /* (runs, images): sums of x and of x^2 */
    int16_t *cells;           /* (runs, PADDED): the maps of one image */
} Sums;

static inline int32_t dot(const int16_t *restrict x, const int16_t *restrict y)
{
    int32_t sum = 0;
    for (int i = 0; i < PADDED; i++)
        sum += x[i] * y[i];
    return sum;
}

/* Of one image: every run's sums, and into `out` the sum of products of every pair. */
FAST static void add_up(const uint8_t *maps, Sums sums, Py_ssize_t runs, Py_ssize_t images, Py_ssize_t image,
                        double *out)
{
    for (Py_ssize_t run = 0; run < runs; run++) {
        const uint8_t *map = maps + (run * images + image) * CELLS;
        int16_t *cells = sums.cells + run * PADDED;
        int32_t total = 0;
        for (int i = 0; i < CELLS; i++) {
            cells[i] = map[i];
            total += map[i];
        }
        sums.totals[run * images + image] = total;
        sums.squares[run * images + image] = dot(cells, cells);
    }
    for (Py_ssize_t one = 0; one < runs; one++)
        for (Py_ssize_t other = one + 1; other < runs; other++, out += images)
            out[image] = dot(sums.cells + one * PADDED, sums.cells + other * PADDED);
}

/* Of one pair of runs, for every image: `out` holds the sums of products and gets the similarities. */
FAST static void finish(const double *x, const double *y, const double *x_squares, const double *y_squares, double *out,
                        Py_ssize_t images)
{
    const double mean = 1.0 / (CELLS * CELLS), spread = 1.0 / (CELLS * (CELLS - 1));
    const double c1 = (0.01 * 255) * (0.01 * 255), c2 = (0.03 * 255) * (0.03 * 255);
    for (Py_ssize_t i = 0; i < images; i++) {
        const double product = x[i] * y[i], powers = x[i] * x[i] + y[i] * y[i];
        const double luminance = (product * (2 * mean) + c1) / (powers * mean + c1);
        const double covariance = (out[i] * CELLS - product) * (2 * spread) + c2;
        const double variance = ((x_squares[i] + y_squares[i]) * CELLS - powers) * spread + c2;
        out[i] = luminance * covariance / variance;
    }
}

static void compare_all(const uint8_t *maps, Sums sums, Py_ssize_t runs, Py_ssize_t images, double *out)
{
    for (Py_ssize_t image = 0; image < images; image++)
        add_up(maps, sums, runs, images, image, out);
    for (Py_ssize_t one = 0; one < runs; one++)
        for (Py_ssize_t other = one + 1; other < runs; other++, out += images)
            finish(sums.totals + one * images, sums.totals + other * images, sums.squares + one * images,
                   sums.squares + other * images, out, images);
}

/* pair_similarities(maps, out, runs): (K, N, 7, 7) uint8 and (K (K - 1) / 2, N) doubles. */
PyObject *pair_similarities(PyObject *self, PyObject *args)
{
    Py_buffer maps, out;
    Py_ssize_t runs;
    if (!PyArg_ParseTuple(args, "y*w*n", &maps, &out, &runs))
        return NULL;
    const Py_ssize_t images = runs > 0 ? maps.len / (runs * CELLS) : 0;
    Sums sums = {NULL, NULL, NULL};
    if (runs < 1 || maps.len != runs * images * CELLS ||
        out.len != runs * (runs - 1) / 2 * images * (Py_ssize_t)sizeof(double))
        PyErr_SetString(PyExc_ValueError, "maps of another size than 7 x 7, or buffers of other lengths");
    else {
        sums.totals = malloc((2 * runs * images + 1) * sizeof(double));
        sums.cells = calloc(runs * PADDED, sizeof(int16_t));
        if (!sums.totals || !sums.cells)
            PyErr_NoMemory();
        else {
            sums.squares = sums.totals + runs * images;
            Py_BEGIN_ALLOW_THREADS
            compare_all(maps.buf, sums, runs, images, out.buf);
            Py_END_ALLOW_THREADS
        }
        free(sums.totals);
        free(sums.cells);
    }
    PyBuffer_Release(&maps);
    PyBuffer_Release(&out);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

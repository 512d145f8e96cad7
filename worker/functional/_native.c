/* The inner loops that an audit would otherwise spend most of its time in. Each has a definition in Python beside
 * it, which the tests hold it to: ssim.py, blur.py and normalization.py.
 *
 * mean_similarity: structural similarity of 8-bit maps (Wang et al. 2004) with scikit-image's defaults. A window's
 * sums are updated rather than made anew; they are integers below 2^24, and the rest is double.
 *
 * degrade: every pixel blurred with its own Gaussian, in SciPy's arithmetic, bit for bit. SciPy blurs the whole image
 * for every sigma; here a row's first pass is made only where some pixel's second pass will look.
 *
 * look_up: 8-bit images to normalised floats, channels last, through one table a channel. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW 7
#define CELLS 49.0

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__)
#define FAST __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FAST
#endif

/* Columns of one kind of sum: x, y, x^2 + y^2 or x y, over the seven rows of the current band. */
typedef struct {
    int32_t *x, *y, *squares, *cross;
} Columns;

FAST static void add_row(Columns sums, const uint8_t *x, const uint8_t *y, Py_ssize_t width, int32_t sign)
{
    for (Py_ssize_t i = 0; i < width; i++) {
        int32_t a = x[i], b = y[i];
        sums.x[i] += sign * a;
        sums.y[i] += sign * b;
        sums.squares[i] += sign * (a * a + b * b);
        sums.cross[i] += sign * (a * b);
    }
}

/* Sums over seven neighbours, by doubling: 1, 2 and 4 make 7. */
FAST static void sum_windows(const int32_t *columns, int32_t *twos, int32_t *sums, Py_ssize_t count)
{
    for (Py_ssize_t i = 0; i < count + 5; i++)
        twos[i] = columns[i] + columns[i + 1];
    for (Py_ssize_t i = 0; i < count; i++)
        sums[i] = twos[i] + twos[i + 2] + twos[i + 4] + columns[i + 6];
}

FAST static double sum_similarity(const int32_t *x, const int32_t *y, const int32_t *squares, const int32_t *cross,
                                  Py_ssize_t count)
{
    const double mean = 1 / (CELLS * CELLS), spread = 1 / (CELLS * (CELLS - 1));
    const double c1 = (0.01 * 255) * (0.01 * 255), c2 = (0.03 * 255) * (0.03 * 255);
    double total = 0;
#pragma omp simd reduction(+ : total)
    for (Py_ssize_t i = 0; i < count; i++) {
        double a = x[i], b = y[i], product = a * b, powers = a * a + b * b;
        double above = (product * (2 * mean) + c1) * ((cross[i] * CELLS - product) * (2 * spread) + c2);
        double below = (powers * mean + c1) * ((squares[i] * CELLS - powers) * spread + c2);
        total += above / below;
    }
    return total;
}

static double similarity(const uint8_t *x, const uint8_t *y, Py_ssize_t height, Py_ssize_t width, int32_t *scratch)
{
    Columns columns = {scratch, scratch + width, scratch + 2 * width, scratch + 3 * width};
    int32_t *twos = scratch + 4 * width, *windows = scratch + 5 * width;
    const Py_ssize_t rows = height - WINDOW + 1, count = width - WINDOW + 1;
    double total = 0;
    memset(scratch, 0, 4 * width * sizeof(int32_t));
    for (Py_ssize_t row = 0; row < WINDOW - 1; row++)
        add_row(columns, x + row * width, y + row * width, width, 1);
    for (Py_ssize_t row = 0; row < rows; row++) {
        const Py_ssize_t enters = (row + WINDOW - 1) * width;
        add_row(columns, x + enters, y + enters, width, 1);
        for (int kind = 0; kind < 4; kind++)
            sum_windows(scratch + kind * width, twos, windows + kind * width, count);
        total += sum_similarity(windows, windows + width, windows + 2 * width, windows + 3 * width, count);
        add_row(columns, x + row * width, y + row * width, width, -1);
    }
    return total / ((double)rows * (double)count);
}

/* mean_similarity(first, second, out, height, width): buffers of N maps uint8, N maps uint8 and N doubles. */
static PyObject *mean_similarity(PyObject *self, PyObject *args)
{
    Py_buffer first, second, out;
    Py_ssize_t height, width;
    if (!PyArg_ParseTuple(args, "y*y*w*nn", &first, &second, &out, &height, &width))
        return NULL;
    const Py_ssize_t cells = height * width, count = out.len / (Py_ssize_t)sizeof(double);
    int32_t *scratch = NULL;
    if (height < WINDOW || width < WINDOW || first.len != count * cells || second.len != count * cells)
        PyErr_SetString(PyExc_ValueError, "maps under 7 x 7, or buffers of other lengths");
    else if ((scratch = malloc(9 * (size_t)width * sizeof(int32_t))) == NULL)
        PyErr_NoMemory();
    else {
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t map = 0; map < count; map++)
            ((double *)out.buf)[map] = similarity((const uint8_t *)first.buf + map * cells,
                                                  (const uint8_t *)second.buf + map * cells, height, width, scratch);
        Py_END_ALLOW_THREADS
    }
    free(scratch);
    PyBuffer_Release(&first);
    PyBuffer_Release(&second);
    PyBuffer_Release(&out);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

/* SciPy's order: the centre, then pairs from the farthest to the nearest; truncated to 8 bits after each pass. */
FAST static void first_pass(const uint8_t **rows, const double *weights, int32_t radius, Py_ssize_t from,
                            Py_ssize_t to, double *sums, uint8_t *out)
{
    const uint8_t *centre = rows[radius];
    for (Py_ssize_t i = from; i < to; i++)
        sums[i] = centre[i] * weights[0];
    for (int32_t k = radius; k > 0; k--) {
        const uint8_t *above = rows[radius - k], *below = rows[radius + k];
        const double weight = weights[k];
        for (Py_ssize_t i = from; i < to; i++)
            sums[i] += (double)(above[i] + below[i]) * weight;
    }
    for (Py_ssize_t i = from; i < to; i++)
        out[i] = (uint8_t)sums[i];
}

static Py_ssize_t reflected(Py_ssize_t place, Py_ssize_t length)
{
    place %= 2 * length;
    if (place < 0)
        place += 2 * length;
    return place < length ? place : 2 * length - 1 - place;
}

FAST static void second_pass(const uint8_t *line, const double *weights, int32_t radius, Py_ssize_t from,
                             Py_ssize_t to, double *sums, uint8_t *out)
{
    for (Py_ssize_t i = from; i < to; i++)
        sums[i] = line[i] * weights[0];
    for (int32_t k = radius; k > 0; k--) {
        const double weight = weights[k];
        for (Py_ssize_t i = from; i < to; i++)
            sums[i] += (double)(line[i - k] + line[i + k]) * weight;
    }
    for (Py_ssize_t i = from; i < to; i++)
        out[i] = (uint8_t)sums[i];
}

typedef struct {
    const double *weights; /* (levels, reach + 1), the centre first */
    const int32_t *radii;  /* (levels) */
    Py_ssize_t reach;
    const uint8_t **rows; /* 2 * reach + 1 row pointers */
    double *sums;         /* width */
    uint8_t *padded;      /* width + 2 * reach: a first pass's row with its reflected borders */
} Blur;

/* The pixels [from, to) of a row share a level. */
static void degrade_run(const Blur *blur, const uint8_t *plane, uint8_t *out, Py_ssize_t height, Py_ssize_t width,
                        Py_ssize_t row, Py_ssize_t from, Py_ssize_t to, uint8_t level)
{
    const int32_t radius = blur->radii[level];
    const double *weights = blur->weights + level * (blur->reach + 1);
    uint8_t *line = blur->padded + blur->reach;
    if (radius == 0) {
        memcpy(out + row * width + from, plane + row * width + from, to - from);
        return;
    }
    for (int32_t k = -radius; k <= radius; k++)
        blur->rows[radius + k] = plane + reflected(row + k, height) * width;
    /* Of the first pass, what the second will look at: near a border also what is reflected there. */
    const Py_ssize_t left = from - radius, right = to + radius;
    Py_ssize_t begin = left < 0 ? 0 : left, end = right > width ? width : right;
    if (left < 0 && -left > end)
        end = -left < width ? -left : width;
    if (right > width && 2 * width - right < begin)
        begin = 2 * width - right > 0 ? 2 * width - right : 0;
    first_pass(blur->rows, weights, radius, begin, end, blur->sums, line);
    for (Py_ssize_t i = left; i < 0; i++)
        line[i] = line[reflected(i, width)];
    for (Py_ssize_t i = width; i < right; i++)
        line[i] = line[reflected(i, width)];
    second_pass(line, weights, radius, from, to, blur->sums, out + row * width);
}

static void degrade_planes(const Blur *blur, const uint8_t *image, const uint8_t *levels, uint8_t *out,
                           Py_ssize_t channels, Py_ssize_t height, Py_ssize_t width)
{
    for (Py_ssize_t row = 0; row < height; row++)
        for (Py_ssize_t from = 0, to; from < width; from = to) {
            const uint8_t level = levels[row * width + from];
            for (to = from + 1; to < width && levels[row * width + to] == level; to++)
                ;
            for (Py_ssize_t channel = 0; channel < channels; channel++) {
                const Py_ssize_t plane = channel * height * width;
                degrade_run(blur, image + plane, out + plane, height, width, row, from, to, level);
            }
        }
}

/* degrade(image, levels, weights, radii, out, height, width): (C, H, W) uint8, (H, W) uint8 below L, (L, reach + 1)
 * doubles, (L) int32 of at most reach, and C planes for the result. */
static PyObject *degrade(PyObject *self, PyObject *args)
{
    Py_buffer image, levels, weights, radii, out;
    Py_ssize_t height, width;
    if (!PyArg_ParseTuple(args, "y*y*y*y*w*nn", &image, &levels, &weights, &radii, &out, &height, &width))
        return NULL;
    const Py_ssize_t plane = height * width, count = radii.len / (Py_ssize_t)sizeof(int32_t);
    Blur blur = {weights.buf, radii.buf, 0, NULL, NULL, NULL};
    int fits = plane > 0 && count > 0 && levels.len == plane && image.len % plane == 0 && out.len == image.len;
    if (fits) {
        blur.reach = weights.len / (Py_ssize_t)sizeof(double) / count - 1;
        for (Py_ssize_t i = 0; i < count; i++)
            fits = fits && blur.radii[i] >= 0 && blur.radii[i] <= blur.reach;
        for (Py_ssize_t i = 0; i < plane; i++)
            fits = fits && ((const uint8_t *)levels.buf)[i] < count;
    }
    if (!fits)
        PyErr_SetString(PyExc_ValueError, "buffers of other lengths, or a level without a kernel");
    else {
        blur.rows = malloc((2 * blur.reach + 1) * sizeof(*blur.rows));
        blur.sums = malloc(width * sizeof(double));
        blur.padded = malloc(width + 2 * blur.reach);
        if (!blur.rows || !blur.sums || !blur.padded)
            PyErr_NoMemory();
        else {
            Py_BEGIN_ALLOW_THREADS
            degrade_planes(&blur, image.buf, levels.buf, out.buf, image.len / plane, height, width);
            Py_END_ALLOW_THREADS
        }
        free(blur.rows);
        free(blur.sums);
        free(blur.padded);
    }
    PyBuffer_Release(&image);
    PyBuffer_Release(&levels);
    PyBuffer_Release(&weights);
    PyBuffer_Release(&radii);
    PyBuffer_Release(&out);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

FAST static void look_up_image(const uint8_t *image, const float *table, float *out, Py_ssize_t cells)
{
    const uint8_t *red = image, *green = image + cells, *blue = image + 2 * cells;
    for (Py_ssize_t i = 0; i < cells; i++) {
        out[3 * i] = table[red[i]];
        out[3 * i + 1] = table[256 + green[i]];
        out[3 * i + 2] = table[512 + blue[i]];
    }
}

/* look_up(images, table, out, cells): (N, 3, cells) uint8, (3, 256) floats, (N, cells, 3) floats. */
static PyObject *look_up(PyObject *self, PyObject *args)
{
    Py_buffer images, table, out;
    Py_ssize_t cells;
    if (!PyArg_ParseTuple(args, "y*y*w*n", &images, &table, &out, &cells))
        return NULL;
    if (cells < 1 || images.len % (3 * cells) || table.len != 768 * (Py_ssize_t)sizeof(float) ||
        out.len != images.len * (Py_ssize_t)sizeof(float))
        PyErr_SetString(PyExc_ValueError, "buffers of other lengths");
    else {
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t start = 0; start < images.len; start += 3 * cells)
            look_up_image((const uint8_t *)images.buf + start, table.buf, (float *)out.buf + start, cells);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&images);
    PyBuffer_Release(&table);
    PyBuffer_Release(&out);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

static PyMethodDef methods[] = {
    {"look_up", look_up, METH_VARARGS, "8-bit images to normalised floats, channels last."},
    {"degrade", degrade, METH_VARARGS, "Every pixel blurred with the Gaussian of its level."},
    {"mean_similarity", mean_similarity, METH_VARARGS, "Mean SSIM of pairs of 8-bit maps."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_native", NULL, -1, methods};

PyMODINIT_FUNC PyInit__native(void)
{
    return PyModule_Create(&module);
}

/* Structural similarity of 8-bit maps (Wang et al. 2004) with scikit-image's defaults. A window's sums are updated
 * rather than made anew; they are integers below 2^24, and the rest is double. */
#include "native.h"

#define WINDOW 7
#define CELLS 49.0

/* Columns of one kind of sum: x, y, x^2 + y^2 or x y, over the seven rows of the current band. */
typedef struct {
    int32_t *x, *y, *squares, *cross;
} Columns;

FAST static void add_row(Columns columns, const uint8_t *restrict x, const uint8_t *restrict y, Py_ssize_t width,
                         int32_t sign)
{
    int32_t *restrict xs = columns.x, *restrict ys = columns.y;
    int32_t *restrict squares = columns.squares, *restrict cross = columns.cross;
    for (Py_ssize_t i = 0; i < width; i++) {
        int32_t a = x[i], b = y[i];
        xs[i] += sign * a;
        ys[i] += sign * b;
        squares[i] += sign * (a * a + b * b);
        cross[i] += sign * (a * b);
    }
}

/* Sums over seven neighbours, by doubling: 1, 2 and 4 make 7. */
FAST static void sum_windows(const int32_t *restrict columns, int32_t *restrict twos, int32_t *restrict sums,
                             Py_ssize_t count)
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

/* A map of 7 x 7 is a single window, which needs no running sums. */
FAST static double single_window(const uint8_t *restrict x, const uint8_t *restrict y)
{
    int32_t xs = 0, ys = 0, squares = 0, cross = 0;
    for (int i = 0; i < WINDOW * WINDOW; i++) {
        int32_t a = x[i], b = y[i];
        xs += a;
        ys += b;
        squares += a * a + b * b;
        cross += a * b;
    }
    return sum_similarity(&xs, &ys, &squares, &cross, 1);
}

static double similarity(const uint8_t *x, const uint8_t *y, Py_ssize_t height, Py_ssize_t width, int32_t *scratch)
{
    if (height == WINDOW && width == WINDOW)
        return single_window(x, y);
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
PyObject *mean_similarity(PyObject *self, PyObject *args)
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

/* Pillow's resize of 8-bit maps, in its own fixed-point arithmetic: weights of 22 bits, along the rows first, rounded and
 * clipped to 8 bits after each pass. Sums fit 32 bits, as they do in Pillow. */
#include "native.h"

#define PRECISION_BITS 22

typedef struct {
    const int32_t *across; /* (width, size): what every cell of a row adds to every result */
    const int32_t *down;   /* (size, height): what every row adds to a result */
    Py_ssize_t height, width, size;
    int32_t *rows; /* (height, size): after the first pass */
    int32_t *sums; /* (size) */
} Resize;

static inline int32_t to_8_bits(int32_t sum)
{
    const int32_t value = sum >> PRECISION_BITS;
    return value < 0 ? 0 : value > 255 ? 255 : value;
}

INLINE void begin(int32_t *restrict sums, Py_ssize_t size)
{
    for (Py_ssize_t i = 0; i < size; i++)
        sums[i] = 1 << (PRECISION_BITS - 1);
}

INLINE void add(int32_t *restrict sums, const int32_t *restrict values, int32_t times, Py_ssize_t size)
{
    for (Py_ssize_t i = 0; i < size; i++)
        sums[i] += values[i] * times;
}

FAST static void resize_map(const Resize *to, const uint8_t *map, uint8_t *out)
{
    const Py_ssize_t size = to->size;
    for (Py_ssize_t row = 0; row < to->height; row++) {
        int32_t *sums = to->rows + row * size;
        begin(sums, size);
        for (Py_ssize_t cell = 0; cell < to->width; cell++)
            add(sums, to->across + cell * size, map[row * to->width + cell], size);
        for (Py_ssize_t i = 0; i < size; i++)
            sums[i] = to_8_bits(sums[i]);
    }
    for (Py_ssize_t row = 0; row < size; row++) {
        int32_t *restrict sums = to->sums;
        begin(sums, size);
        for (Py_ssize_t cell = 0; cell < to->height; cell++)
            if (to->down[row * to->height + cell])
                add(sums, to->rows + cell * size, to->down[row * to->height + cell], size);
        for (Py_ssize_t i = 0; i < size; i++)
            out[row * size + i] = (uint8_t)to_8_bits(sums[i]);
    }
}

/* resize(maps, across, down, out, size): (N, h, w) uint8, (w, size) int32, (size, h) int32, (N, size, size) uint8. */
PyObject *resize(PyObject *self, PyObject *args)
{
    Py_buffer maps, across, down, out;
    Resize to = {0};
    if (!PyArg_ParseTuple(args, "y*y*y*w*n", &maps, &across, &down, &out, &to.size))
        return NULL;
    const Py_ssize_t line = to.size > 0 ? to.size * (Py_ssize_t)sizeof(int32_t) : 1;
    to.across = across.buf;
    to.down = down.buf;
    to.width = across.len / line;
    to.height = down.len / line;
    const Py_ssize_t cells = to.height * to.width;
    if (to.size < 1 || cells < 1 || across.len % line || down.len % line || maps.len % cells ||
        out.len != maps.len / cells * to.size * to.size)
        PyErr_SetString(PyExc_ValueError, "buffers of other lengths");
    else if ((to.rows = malloc((to.height + 1) * line)) == NULL)
        PyErr_NoMemory();
    else {
        to.sums = to.rows + to.height * to.size;
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t map = 0; map < maps.len / cells; map++)
            resize_map(&to, (const uint8_t *)maps.buf + map * cells, (uint8_t *)out.buf + map * to.size * to.size);
        Py_END_ALLOW_THREADS
    }
    free(to.rows);
    PyBuffer_Release(&maps);
    PyBuffer_Release(&across);
    PyBuffer_Release(&down);
    PyBuffer_Release(&out);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

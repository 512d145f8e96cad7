/* 8-bit images to normalised floats, channels last, through one table a channel. */
#include "native.h"

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
PyObject *look_up(PyObject *self, PyObject *args)
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

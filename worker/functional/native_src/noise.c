/* Salt and pepper as scikit-image draws it from a NumPy generator: a number for every value says whether it is flipped,
 * and after all of these another whether to white; pixel by pixel, the channels of each side by side. */
#include "native.h"

/* How NumPy hands out a generator of random bits, from numpy/random/bitgen.h. */
typedef struct {
    void *state;
    uint64_t (*next_uint64)(void *);
    uint32_t (*next_uint32)(void *);
    double (*next_double)(void *);
    uint64_t (*next_raw)(void *);
} Bits;

static void draw(Bits *bits, double amount, uint8_t *flipped, Py_ssize_t count)
{
    for (Py_ssize_t i = 0; i < count; i++)
        flipped[i] = bits->next_double(bits->state) <= amount;
}

static void flip(Bits *bits, const uint8_t *flipped, const uint8_t *image, const uint8_t *kept, uint8_t *out,
                 Py_ssize_t channels, Py_ssize_t cells)
{
    for (Py_ssize_t cell = 0; cell < cells; cell++)
        for (Py_ssize_t at = cell; at < channels * cells; at += cells) {
            const uint8_t white = bits->next_double(bits->state) <= 0.5 ? 255 : 0;
            out[at] = *flipped++ ? white : kept[image[at]];
        }
}

/* salt_and_pepper(image, generator, amount, kept, out, cells): (C, cells) uint8, the capsule of a NumPy bit generator,
 * a share, what each of 256 values becomes where it is not flipped, (C, cells) uint8. */
PyObject *salt_and_pepper(PyObject *self, PyObject *args)
{
    Py_buffer image, kept, out;
    PyObject *generator;
    double amount;
    Py_ssize_t cells;
    if (!PyArg_ParseTuple(args, "y*Ody*w*n", &image, &generator, &amount, &kept, &out, &cells))
        return NULL;
    Bits *bits = PyCapsule_GetPointer(generator, "BitGenerator");
    uint8_t *flipped = NULL;
    if (!bits)
        ;
    else if (cells < 1 || image.len % cells || out.len != image.len || kept.len != 256)
        PyErr_SetString(PyExc_ValueError, "buffers of other lengths");
    else if ((flipped = malloc(image.len + 1)) == NULL)
        PyErr_NoMemory();
    else {
        Py_BEGIN_ALLOW_THREADS
        /* Where all are flipped nothing is drawn for it. */
        if (amount == 1)
            memset(flipped, 1, image.len);
        else
            draw(bits, amount, flipped, image.len);
        flip(bits, flipped, image.buf, kept.buf, out.buf, image.len / cells, cells);
        Py_END_ALLOW_THREADS
    }
    free(flipped);
    PyBuffer_Release(&image);
    PyBuffer_Release(&kept);
    PyBuffer_Release(&out);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

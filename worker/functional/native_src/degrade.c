/* Every pixel blurred with its own Gaussian, in SciPy's arithmetic, bit for bit: the centre first, then pairs from the
 * farthest to the nearest, truncated to 8 bits after each pass.
 *
 * SciPy blurs the whole image for every sigma. Here the first pass, down the columns, is made only where some pixel's
 * second pass, along the row, will look. The pairs of rows that it adds up are the same for every sigma and direction:
 * they are added once a row. */
#include "native.h"

#define LANES 8
#define TILE (4 * LANES)

typedef double Doubles __attribute__((vector_size(LANES * sizeof(double)), aligned(8)));
typedef int32_t Integers __attribute__((vector_size(LANES * sizeof(int32_t))));

typedef struct {
    const double *weights; /* (levels, reach + 1), the centre first */
    const int32_t *radii;  /* (levels) */
    Py_ssize_t levels, reach, height, width, stride;
    double *pairs; /* (reach + 1, stride): the row itself, then the sums of the rows k above and k below it */
    double *line;  /* reach + stride + reach: a row after the first pass, with its reflected borders */
} Blur;

static Py_ssize_t reflected(Py_ssize_t place, Py_ssize_t length)
{
    place %= 2 * length;
    if (place < 0)
        place += 2 * length;
    return place < length ? place : 2 * length - 1 - place;
}

FAST static void add_pair(const uint8_t *above, const uint8_t *below, double *sums, Py_ssize_t width)
{
    for (Py_ssize_t i = 0; i < width; i++)
        sums[i] = (double)(above[i] + below[i]);
}

static void add_pairs(const Blur *blur, const uint8_t *plane, Py_ssize_t row, int32_t radius)
{
    for (Py_ssize_t i = 0; i < blur->width; i++)
        blur->pairs[i] = plane[row * blur->width + i];
    for (int32_t k = 1; k <= radius; k++)
        add_pair(plane + reflected(row - k, blur->height) * blur->width,
                 plane + reflected(row + k, blur->height) * blur->width, blur->pairs + k * blur->stride, blur->width);
}

/* Columns [from, to) and some more, four vectors at a time: their sums stay in registers. */
FAST static void first_pass(const double *pairs, Py_ssize_t stride, const double *weights, int32_t radius,
                            Py_ssize_t from, Py_ssize_t to, double *line)
{
    for (Py_ssize_t i = from; i < to; i += TILE) {
        const Doubles *at = (const Doubles *)(pairs + i);
        Doubles a = at[0] * weights[0], b = at[1] * weights[0], c = at[2] * weights[0], d = at[3] * weights[0];
        for (int32_t k = radius; k > 0; k--) {
            const double weight = weights[k];
            at = (const Doubles *)(pairs + k * stride + i);
            a += at[0] * weight;
            b += at[1] * weight;
            c += at[2] * weight;
            d += at[3] * weight;
        }
        Doubles *out = (Doubles *)(line + i);
        out[0] = __builtin_convertvector(__builtin_convertvector(a, Integers), Doubles);
        out[1] = __builtin_convertvector(__builtin_convertvector(b, Integers), Doubles);
        out[2] = __builtin_convertvector(__builtin_convertvector(c, Integers), Doubles);
        out[3] = __builtin_convertvector(__builtin_convertvector(d, Integers), Doubles);
    }
}

FAST static void second_pass(const double *line, const double *weights, int32_t radius, Py_ssize_t from,
                             Py_ssize_t to, uint8_t *out)
{
    for (Py_ssize_t i = from; i < to; i += LANES) {
        Doubles sums = *(const Doubles *)(line + i) * weights[0];
        for (int32_t k = radius; k > 0; k--)
            sums += (*(const Doubles *)(line + i - k) + *(const Doubles *)(line + i + k)) * weights[k];
        const Integers pixels = __builtin_convertvector(sums, Integers);
        for (Py_ssize_t lane = 0; lane < LANES && i + lane < to; lane++)
            out[i + lane] = (uint8_t)pixels[lane];
    }
}

/* The pixels [from, to) of a row share a level. */
static void degrade_run(const Blur *blur, uint8_t level, Py_ssize_t from, Py_ssize_t to, uint8_t *out)
{
    const int32_t radius = blur->radii[level];
    const double *weights = blur->weights + level * (blur->reach + 1);
    const Py_ssize_t width = blur->width, left = from - radius, right = to + radius;
    double *line = blur->line + blur->reach;
    /* Of the first pass, what the second will look at: near a border also what is reflected there. */
    Py_ssize_t begin = left < 0 ? 0 : left, end = right > width ? width : right;
    if (left < 0 && -left > end)
        end = -left < width ? -left : width;
    if (right > width && 2 * width - right < begin)
        begin = 2 * width - right > 0 ? 2 * width - right : 0;
    first_pass(blur->pairs, blur->stride, weights, radius, begin, end, line);
    for (Py_ssize_t i = left; i < 0; i++)
        line[i] = line[reflected(i, width)];
    for (Py_ssize_t i = width; i < right; i++)
        line[i] = line[reflected(i, width)];
    second_pass(line, weights, radius, from, to, out);
}

static void degrade_row(const Blur *blur, const uint8_t *row, const uint8_t *levels, uint8_t *out)
{
    for (Py_ssize_t from = 0, to; from < blur->width; from = to) {
        for (to = from + 1; to < blur->width && levels[to] == levels[from]; to++)
            ;
        if (blur->radii[levels[from]] == 0)
            memcpy(out + from, row + from, to - from);
        else
            degrade_run(blur, levels[from], from, to, out);
    }
}

static int32_t widest(const Blur *blur, const uint8_t *levels, Py_ssize_t directions, Py_ssize_t row)
{
    int32_t radius = 0;
    for (Py_ssize_t direction = 0; direction < directions; direction++) {
        const uint8_t *line = levels + (direction * blur->height + row) * blur->width;
        for (Py_ssize_t i = 0; i < blur->width; i++)
            radius = blur->radii[line[i]] > radius ? blur->radii[line[i]] : radius;
    }
    return radius;
}

static void degrade_image(const Blur *blur, const Py_buffer *image, const Py_buffer *levels, uint8_t *out)
{
    const Py_ssize_t plane = blur->height * blur->width, directions = levels->len / plane;
    const uint8_t *chosen = levels->buf;
    for (Py_ssize_t row = 0; row < blur->height; row++) {
        const int32_t radius = widest(blur, chosen, directions, row);
        for (Py_ssize_t channel = 0; channel < image->len; channel += plane) {
            const uint8_t *pixels = (const uint8_t *)image->buf + channel;
            add_pairs(blur, pixels, row, radius);
            for (Py_ssize_t direction = 0; direction < directions; direction++)
                degrade_row(blur, pixels + row * blur->width, chosen + direction * plane + row * blur->width,
                            out + direction * image->len + channel + row * blur->width);
        }
    }
}

static int fits(const Blur *blur, const Py_buffer *image, const Py_buffer *levels, const Py_buffer *out)
{
    const Py_ssize_t plane = blur->height * blur->width;
    if (plane < 1 || blur->levels < 1 || levels->len % plane || image->len % plane ||
        out->len != levels->len / plane * image->len)
        return 0;
    for (Py_ssize_t i = 0; i < blur->levels; i++)
        if (blur->radii[i] < 0 || blur->radii[i] > blur->reach)
            return 0;
    for (Py_ssize_t i = 0; i < levels->len; i++)
        if (((const uint8_t *)levels->buf)[i] >= blur->levels)
            return 0;
    return 1;
}

/* degrade(image, levels, weights, radii, out, height, width): (C, H, W) uint8, (D, H, W) uint8 below L, (L, reach + 1)
 * doubles, (L) int32 of at most reach, and (D, C, H, W) uint8 for the result. */
PyObject *degrade(PyObject *self, PyObject *args)
{
    Py_buffer image, levels, weights, radii, out;
    Blur blur = {0};
    if (!PyArg_ParseTuple(args, "y*y*y*y*w*nn", &image, &levels, &weights, &radii, &out, &blur.height, &blur.width))
        return NULL;
    blur.weights = weights.buf;
    blur.radii = radii.buf;
    blur.levels = radii.len / (Py_ssize_t)sizeof(int32_t);
    blur.reach = blur.levels ? weights.len / (Py_ssize_t)sizeof(double) / blur.levels - 1 : 0;
    blur.stride = blur.width + TILE;
    if (!fits(&blur, &image, &levels, &out))
        PyErr_SetString(PyExc_ValueError, "buffers of other lengths, or a level without a kernel");
    else {
        /* Vectors may look at what lies past the end: zeros, which no pixel takes. */
        blur.pairs = calloc((blur.reach + 1) * blur.stride, sizeof(double));
        blur.line = calloc(2 * blur.reach + blur.stride, sizeof(double));
        if (!blur.pairs || !blur.line)
            PyErr_NoMemory();
        else {
            Py_BEGIN_ALLOW_THREADS
            degrade_image(&blur, &image, &levels, out.buf);
            Py_END_ALLOW_THREADS
        }
        free(blur.pairs);
        free(blur.line);
    }
    PyBuffer_Release(&image);
    PyBuffer_Release(&levels);
    PyBuffer_Release(&weights);
    PyBuffer_Release(&radii);
    PyBuffer_Release(&out);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

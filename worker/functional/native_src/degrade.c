/* Every pixel blurred with its own Gaussian, in SciPy's arithmetic (passes.h), bit for bit.
 *
 * SciPy blurs the whole image for every sigma. Here the first pass, down the columns, is made only where some pixel's
 * second pass, along the row, will look. The pairs of rows that it adds up are the same for every sigma and direction:
 * they are added once a row. Neighbours seldom share a level, so that a pixel's channels lie side by side: they fill the
 * vectors that its few neighbours would not. */
#include "passes.h"

/* A row is `row` = width * channels values, those of a pixel side by side. */
typedef struct {
    const double *weights; /* (levels, reach + 1), the centre first */
    float *light;          /* the same, rounded */
    const int32_t *radii;  /* (levels) */
    Py_ssize_t levels, reach, height, width, channels, row, stride, margin;
    uint8_t *pixels; /* (height, row) */
    int32_t *done;   /* (row): of the result */
    float *pairs;    /* (reach + 1, stride): the row itself, then the sums of the rows k above and k below it */
    double *line;    /* margin, stride and margin: a row after the first pass, with its reflected borders */
} Blur;

static Py_ssize_t reflected(Py_ssize_t place, Py_ssize_t length)
{
    place %= 2 * length;
    if (place < 0)
        place += 2 * length;
    return place < length ? place : 2 * length - 1 - place;
}

FAST static void add_pair(const uint8_t *above, const uint8_t *below, float *sums, Py_ssize_t row)
{
    for (Py_ssize_t i = 0; i < row; i++)
        sums[i] = (float)(above[i] + below[i]);
}

static void add_pairs(const Blur *blur, Py_ssize_t row, int32_t radius)
{
    for (Py_ssize_t i = 0; i < blur->row; i++)
        blur->pairs[i] = blur->pixels[row * blur->row + i];
    for (int32_t k = 1; k <= radius; k++)
        add_pair(blur->pixels + reflected(row - k, blur->height) * blur->row,
                 blur->pixels + reflected(row + k, blur->height) * blur->row, blur->pairs + k * blur->stride,
                 blur->row);
}

/* The pixels [from, to) of a row share a level. */
INLINE void degrade_run(const Blur *blur, uint8_t level, Py_ssize_t from, Py_ssize_t to)
{
    const int32_t radius = blur->radii[level];
    const Py_ssize_t row = level * (blur->reach + 1);
    const Kernel kernel = {blur->weights + row, blur->light + row, radius, doubt_of(radius)};
    const Py_ssize_t width = blur->width, channels = blur->channels, left = from - radius, right = to + radius;
    double *line = blur->line + blur->margin;
    /* Of the first pass, what the second will look at: near a border also what is reflected there. */
    Py_ssize_t begin = left < 0 ? 0 : left, end = right > width ? width : right;
    if (left < 0 && -left > end)
        end = -left < width ? -left : width;
    if (right > width && 2 * width - right < begin)
        begin = 2 * width - right > 0 ? 2 * width - right : 0;
    first_pass(blur->pairs, blur->stride, &kernel, begin * channels, end * channels, line);
    for (Py_ssize_t i = left; i < 0; i++)
        memcpy(line + i * channels, line + reflected(i, width) * channels, channels * sizeof(double));
    for (Py_ssize_t i = width; i < right; i++)
        memcpy(line + i * channels, line + reflected(i, width) * channels, channels * sizeof(double));
    second_pass(line, channels, &kernel, from * channels, to * channels, blur->done);
}

FAST static void degrade_row(const Blur *blur, const uint8_t *pixels, const uint8_t *levels)
{
    const Py_ssize_t channels = blur->channels;
    for (Py_ssize_t from = 0, to; from < blur->width; from = to) {
        for (to = from + 1; to < blur->width && levels[to] == levels[from]; to++)
            ;
        if (blur->radii[levels[from]] == 0)
            for (Py_ssize_t i = from * channels; i < to * channels; i++)
                blur->done[i] = pixels[i];
        else
            degrade_run(blur, levels[from], from, to);
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

/* `count` pixels from planes that lie `plane` apart to side by side, and back. */
FAST static void interleave(const uint8_t *planes, Py_ssize_t plane, Py_ssize_t channels, Py_ssize_t count, uint8_t *pixels)
{
    for (Py_ssize_t i = 0; i < count; i++)
        for (Py_ssize_t channel = 0; channel < channels; channel++)
            pixels[i * channels + channel] = planes[channel * plane + i];
}

FAST static void separate(const int32_t *pixels, Py_ssize_t plane, Py_ssize_t channels, Py_ssize_t count, uint8_t *planes)
{
    for (Py_ssize_t channel = 0; channel < channels; channel++)
        for (Py_ssize_t i = 0; i < count; i++)
            planes[channel * plane + i] = (uint8_t)pixels[i * channels + channel];
}

static void degrade_image(const Blur *blur, const uint8_t *image, const Py_buffer *levels, uint8_t *out)
{
    const Py_ssize_t plane = blur->height * blur->width, directions = levels->len / plane;
    interleave(image, plane, blur->channels, plane, blur->pixels);
    for (Py_ssize_t row = 0; row < blur->height; row++) {
        add_pairs(blur, row, widest(blur, levels->buf, directions, row));
        for (Py_ssize_t direction = 0; direction < directions; direction++) {
            const Py_ssize_t start = row * blur->width;
            degrade_row(blur, blur->pixels + row * blur->row,
                        (const uint8_t *)levels->buf + direction * plane + start);
            separate(blur->done, plane, blur->channels, blur->width,
                     out + direction * blur->channels * plane + start);
        }
    }
}

static int are_below(const uint8_t *levels, Py_ssize_t count, Py_ssize_t most)
{
    uint8_t highest = 0;
    for (Py_ssize_t i = 0; i < count; i++)
        highest = levels[i] > highest ? levels[i] : highest;
    return highest < most;
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
    return are_below(levels->buf, levels->len, blur->levels);
}

static Py_ssize_t whole_vectors(Py_ssize_t values)
{
    return (values + WIDE - 1) / WIDE * WIDE;
}

/* `bytes`, whole vectors of them, from where a line of the cache begins. */
static void *zeros(Py_ssize_t bytes)
{
    void *made = aligned_alloc(WIDE * sizeof(float), bytes);
    return made ? memset(made, 0, bytes) : NULL;
}

/* Vectors may look at what lies past an end, or leave something there: no pixel takes it. */
static int make_room(Blur *blur, Py_ssize_t channels)
{
    const Py_ssize_t weights = blur->levels * (blur->reach + 1);
    blur->channels = channels;
    blur->row = blur->width * channels;
    blur->stride = whole_vectors(blur->row) + TILE;
    blur->margin = whole_vectors(blur->reach * channels);
    blur->pixels = malloc(blur->height * blur->row + 1);
    blur->done = malloc((blur->row + LANES) * sizeof(int32_t));
    blur->pairs = zeros((blur->reach + 1) * blur->stride * sizeof(float));
    blur->line = zeros((2 * blur->margin + blur->stride) * sizeof(double));
    blur->light = malloc(weights * sizeof(float));
    for (Py_ssize_t i = 0; blur->light && i < weights; i++)
        blur->light[i] = (float)blur->weights[i];
    return blur->pixels && blur->done && blur->pairs && blur->line && blur->light;
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
    if (!fits(&blur, &image, &levels, &out))
        PyErr_SetString(PyExc_ValueError, "buffers of other lengths, or a level without a kernel");
    else {
        if (!make_room(&blur, image.len / (blur.height * blur.width)))
            PyErr_NoMemory();
        else {
            Py_BEGIN_ALLOW_THREADS
            degrade_image(&blur, image.buf, &levels, out.buf);
            Py_END_ALLOW_THREADS
        }
        free(blur.pixels);
        free(blur.done);
        free(blur.pairs);
        free(blur.line);
        free(blur.light);
    }
    PyBuffer_Release(&image);
    PyBuffer_Release(&levels);
    PyBuffer_Release(&weights);
    PyBuffer_Release(&radii);
    PyBuffer_Release(&out);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

/* The two passes of a Gaussian over 8-bit values, in SciPy's arithmetic: the centre first, then pairs from the farthest
 * to the nearest, all in doubles, truncated to 8 bits after each pass.
 *
 * The first pass is most of the work, and only whole numbers come of it: floats find them, of which a vector holds twice
 * as many. Where a float lies so near to a whole number that rounding may have carried it across, doubles decide. */
#ifndef SALIENCE_AUDIT_PASSES_H
#define SALIENCE_AUDIT_PASSES_H
#include "native.h"

#define LANES 8
#define WIDE (2 * LANES)
#define TILE (4 * WIDE)
/* Below this radius a pixel changes so little that nearly every sum is in doubt. */
#define WORTH_FLOATS 6

typedef double Doubles __attribute__((vector_size(LANES * sizeof(double)), aligned(8)));
typedef int32_t Integers __attribute__((vector_size(LANES * sizeof(int32_t)), aligned(4)));
typedef float Floats __attribute__((vector_size(LANES * sizeof(float)), aligned(4)));
typedef float WideFloats __attribute__((vector_size(WIDE * sizeof(float)), aligned(4)));

/* Half a kernel, the centre first. */
typedef struct {
    const double *weights;
    const float *light; /* the same, rounded */
    int32_t radius;
    float doubt; /* how far a sum of floats may be from that of doubles */
} Kernel;

/* Weights add up to 1 and values are at most 255; a rounding changes a number by at most 2^-24 of itself, and a term
 * goes through one of its weight, one of its product and one of each sum that it becomes part of. */
static inline float doubt_of(int32_t radius)
{
    return (float)(radius + 4) * 255.0f / 16777216.0f;
}

/* `vectors` of the first pass, which stay in registers. */
INLINE void exact_tile(const int vectors, const float *pairs, Py_ssize_t stride, const Kernel *kernel, double *line)
{
    const Floats *at = (const Floats *)pairs;
    Doubles sums[TILE / LANES];
    for (int i = 0; i < vectors; i++)
        sums[i] = __builtin_convertvector(at[i], Doubles) * kernel->weights[0];
    for (int32_t k = kernel->radius; k > 0; k--) {
        at = (const Floats *)(pairs + k * stride);
        for (int i = 0; i < vectors; i++)
            sums[i] += __builtin_convertvector(at[i], Doubles) * kernel->weights[k];
    }
    for (int i = 0; i < vectors; i++)
        ((Doubles *)line)[i] = __builtin_convertvector(__builtin_convertvector(sums[i], Integers), Doubles);
}

/* Truncates; whether doubles must decide somewhere. A sum of nothing but zeros is beyond doubt. */
INLINE int32_t truncate_sums(const int count, const float *sums, float doubt, double *line)
{
    const float high = 1 - doubt;
    int32_t doubtful = 0;
    for (int i = 0; i < count; i++) {
        const int32_t whole = (int32_t)sums[i];
        const float rest = sums[i] - (float)whole;
        doubtful |= ((rest < doubt) | (rest > high)) & (sums[i] != 0);
        line[i] = whole;
    }
    return doubtful;
}

INLINE void first_pass_tile(const int vectors, const float *pairs, Py_ssize_t stride, const Kernel *kernel, double *line)
{
    const WideFloats *at = (const WideFloats *)pairs;
    WideFloats sums[TILE / WIDE];
    float light[TILE];
    for (int i = 0; i < vectors; i++)
        sums[i] = at[i] * kernel->light[0];
    for (int32_t k = kernel->radius; k > 0; k--) {
        at = (const WideFloats *)(pairs + k * stride);
        for (int i = 0; i < vectors; i++)
            sums[i] += at[i] * kernel->light[k];
    }
    for (int i = 0; i < vectors; i++)
        ((WideFloats *)light)[i] = sums[i];
    if (truncate_sums(vectors * WIDE, light, kernel->doubt, line))
        exact_tile(2 * vectors, pairs, stride, kernel, line);
}

/* Values [from, to) and some more: vectors begin where lines of the cache do. */
INLINE void first_pass(const float *pairs, Py_ssize_t stride, const Kernel *kernel, Py_ssize_t from, Py_ssize_t to,
                       double *line)
{
    from -= from % WIDE;
    if (kernel->radius < WORTH_FLOATS)
        for (; from < to; from += WIDE)
            exact_tile(2, pairs + from, stride, kernel, line + from);
    for (; to - from > TILE / 2; from += TILE)
        first_pass_tile(4, pairs + from, stride, kernel, line + from);
    if (to - from > WIDE)
        first_pass_tile(2, pairs + from, stride, kernel, line + from);
    else if (to > from)
        first_pass_tile(1, pairs + from, stride, kernel, line + from);
}

/* Values [from, to) and some more, which whoever comes next writes over. */
INLINE void second_pass(const double *line, Py_ssize_t channels, const Kernel *kernel, Py_ssize_t from, Py_ssize_t to,
                        int32_t *out)
{
    for (Py_ssize_t i = from; i < to; i += LANES) {
        Doubles sums = *(const Doubles *)(line + i) * kernel->weights[0];
        for (int32_t k = kernel->radius; k > 0; k--)
            sums += (*(const Doubles *)(line + i - k * channels) + *(const Doubles *)(line + i + k * channels)) *
                    kernel->weights[k];
        *(Integers *)(out + i) = __builtin_convertvector(sums, Integers);
    }
}

#endif

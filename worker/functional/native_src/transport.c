/* The least work that carries what lies too much at some cells to those that have too little: a transport problem for
 * each pair of maps, solved exactly by successive shortest paths (Ahuja, Magnanti and Orlin 1993, 9.7). Prices of
 * cells keep the rest of every way's cost above zero, so that Dijkstra's search finds the cheapest way for what is left;
 * it takes back what was sent before where that is cheaper. */
#include "native.h"
#include <math.h>

/* Shares under this are rounding: both sides add up to the same but for the last bits. */
#define NOTHING 1e-14
/* Ways of one cell, filled up to whole vectors with such as cost too much. */
#define VECTOR 8
/* Of one source: it takes a few. More would mean that rounding leads in a circle. */
#define MOST_SEARCHES 100000

typedef struct {
    Py_ssize_t sources, sinks, width; /* width: sinks, in whole vectors */
    double *costs;                    /* (sources, width) */
    double *flows;                    /* (sinks, sources) */
    double *supply, *demand;          /* what is left to carry, and to receive */
    double *of_source, *of_sink;      /* prices: cost - of_source - of_sink >= 0, and 0 where something flows */
    double *labels, *open_prices;     /* (width): the search's; INFINITY where a sink is settled */
    double *reached, *settled;        /* how far the search went to a source, and to a sink; there NAN where it did not */
    int64_t *from_source, *from_sink; /* from which source it came to a sink, and from which sink to a source */
    uint64_t *senders;                /* (sinks, words): the sources of which something flows to a sink, a bit each */
    uint64_t *unreached;              /* (words): those that the search did not come to */
    Py_ssize_t words;
} Transport;

INLINE void set_bit(uint64_t *bits, Py_ssize_t place)
{
    bits[place / 64] |= (uint64_t)1 << place % 64;
}

INLINE void clear_bit(uint64_t *bits, Py_ssize_t place)
{
    bits[place / 64] &= ~((uint64_t)1 << place % 64);
}

INLINE double smallest(const double *restrict values, Py_ssize_t count)
{
    double least = INFINITY;
#pragma omp simd reduction(min : least)
    for (Py_ssize_t i = 0; i < count; i++)
        least = values[i] < least ? values[i] : least;
    return least;
}

/* Where the smallest is: at a sink that still wants something, where several are as near. */
INLINE Py_ssize_t place_of(const double *restrict values, double value, const double *restrict demand,
                           Py_ssize_t count)
{
    int64_t place = -1;
#pragma omp simd reduction(max : place)
    for (int64_t i = 0; i < count; i++) {
        const int64_t rank = demand[i] > NOTHING ? i + count : i, here = values[i] == value ? rank : -1;
        place = here > place ? here : place;
    }
    return place < count ? place : place - count;
}

/* Of one map's surplus: what leaves, what comes, and what each way costs. */
INLINE void set_up(Transport *one, const double *surplus, const double *costs, Py_ssize_t cells, Py_ssize_t *places)
{
    one->sources = one->sinks = 0;
    for (Py_ssize_t cell = 0; cell < cells; cell++)
        if (surplus[cell] < 0) {
            places[one->sinks] = cell;
            one->demand[one->sinks++] = -surplus[cell];
        }
    one->width = (one->sinks + VECTOR - 1) / VECTOR * VECTOR;
    for (Py_ssize_t j = one->sinks; j < one->width; j++)
        one->demand[j] = 0;
    for (Py_ssize_t cell = 0; cell < cells; cell++)
        if (surplus[cell] > 0) {
            double *row = one->costs + one->sources * one->width;
            for (Py_ssize_t j = 0; j < one->sinks; j++)
                row[j] = costs[cell * cells + places[j]];
            for (Py_ssize_t j = one->sinks; j < one->width; j++)
                row[j] = INFINITY;
            one->supply[one->sources++] = surplus[cell];
        }
    memset(one->flows, 0, one->sources * one->sinks * sizeof(double));
    memset(one->senders, 0, one->sinks * one->words * sizeof(uint64_t));
}

/* Every sink's price is its cheapest way, every source's what its own cheapest costs beside that; along it goes what
 * can. */
INLINE void begin(Transport *one)
{
    for (Py_ssize_t j = 0; j < one->width; j++)
        one->of_sink[j] = j < one->sinks ? INFINITY : 0;
    for (Py_ssize_t i = 0; i < one->sources; i++)
        for (Py_ssize_t j = 0; j < one->sinks; j++) {
            const double cost = one->costs[i * one->width + j];
            one->of_sink[j] = cost < one->of_sink[j] ? cost : one->of_sink[j];
        }
    for (Py_ssize_t i = 0; i < one->sources; i++) {
        const double *row = one->costs + i * one->width;
        for (Py_ssize_t j = 0; j < one->width; j++)
            one->labels[j] = row[j] - one->of_sink[j];
        one->of_source[i] = smallest(one->labels, one->width);
        for (Py_ssize_t j = 0; j < one->sinks && one->supply[i] > 0; j++)
            if (one->labels[j] == one->of_source[i] && one->demand[j] > 0) {
                const double sent = one->supply[i] < one->demand[j] ? one->supply[i] : one->demand[j];
                one->flows[j * one->sources + i] = sent;
                set_bit(one->senders + j * one->words, i);
                one->supply[i] -= sent;
                one->demand[j] -= sent;
            }
    }
}

/* Every way from a source that lies `distance` away. */
INLINE void spread(Transport *one, Py_ssize_t source, double distance)
{
    const double *restrict row = one->costs + source * one->width, *restrict prices = one->open_prices;
    double *restrict labels = one->labels;
    int64_t *restrict from = one->from_source;
    const double start = distance - one->of_source[source];
    const Py_ssize_t width = one->width;
    one->reached[source] = distance;
    clear_bit(one->unreached, source);
#pragma omp simd
    for (Py_ssize_t j = 0; j < width; j++) {
        const double label = start + (row[j] - prices[j]), before = labels[j];
        const int64_t came = from[j];
        from[j] = label < before ? source : came;
        labels[j] = label < before ? label : before;
    }
}

INLINE void begin_search(Transport *one, Py_ssize_t source)
{
    for (Py_ssize_t j = 0; j < one->width; j++) {
        one->labels[j] = INFINITY;
        one->open_prices[j] = one->of_sink[j];
        one->settled[j] = NAN;
    }
    memset(one->unreached, 0xff, one->words * sizeof(uint64_t));
    spread(one, source, 0);
}

/* Every way on from a sink that wants nothing: back to whoever sends to it. */
INLINE void go_on(Transport *one, Py_ssize_t sink)
{
    one->labels[sink] = INFINITY;
    one->open_prices[sink] = -INFINITY;
    for (Py_ssize_t word = 0; word < one->words; word++)
        for (uint64_t bits = one->senders[sink * one->words + word] & one->unreached[word]; bits; bits &= bits - 1) {
            const Py_ssize_t i = word * 64 + __builtin_ctzll(bits);
            one->from_sink[i] = sink;
            spread(one, i, one->settled[sink]);
        }
}

/* The next sink that wants something, -1 where none does. */
INLINE Py_ssize_t search(Transport *one)
{
    for (;;) {
        const double nearest = smallest(one->labels, one->width);
        if (nearest == INFINITY)
            return -1;
        const Py_ssize_t sink = place_of(one->labels, nearest, one->demand, one->width);
        one->settled[sink] = nearest;
        if (one->demand[sink] > NOTHING)
            return sink;
        go_on(one, sink);
    }
}

/* So that the way that was found costs nothing beside the prices, and none less. */
INLINE void raise_prices(Transport *one, double distance)
{
    for (Py_ssize_t i = 0; i < one->sources; i++)
        if (!(one->unreached[i / 64] >> i % 64 & 1))
            one->of_source[i] += distance - one->reached[i];
    for (Py_ssize_t j = 0; j < one->sinks; j++)
        if (!isnan(one->settled[j]))
            one->of_sink[j] -= distance - one->settled[j];
}

/* As much as the way holds: what is left at both ends, and what can be taken back on it. False where all of that was:
 * what the search found behind it is nearer no more. */
INLINE int send(Transport *one, Py_ssize_t source, Py_ssize_t sink)
{
    double sent = one->supply[source] < one->demand[sink] ? one->supply[source] : one->demand[sink];
    for (Py_ssize_t i = one->from_source[sink]; i != source; i = one->from_source[one->from_sink[i]]) {
        const double back = one->flows[one->from_sink[i] * one->sources + i];
        sent = back < sent ? back : sent;
    }
    int holds = 1;
    one->supply[source] -= sent;
    one->demand[sink] -= sent;
    for (Py_ssize_t i = one->from_source[sink];; i = one->from_source[sink]) {
        one->flows[sink * one->sources + i] += sent;
        set_bit(one->senders + sink * one->words, i);
        if (i == source)
            return holds;
        sink = one->from_sink[i];
        if (!(one->flows[sink * one->sources + i] -= sent)) {
            clear_bit(one->senders + sink * one->words, i);
            holds = 0;
        }
    }
}

INLINE double work_of(const Transport *one)
{
    double work = 0;
    for (Py_ssize_t j = 0; j < one->sinks; j++)
        for (Py_ssize_t i = 0; i < one->sources; i++)
            work += one->flows[j * one->sources + i] * one->costs[i * one->width + j];
    return work;
}

/* Of one source all that it has, as far as anything is wanted; false where that takes too many searches. */
INLINE int carry(Transport *one, Py_ssize_t source)
{
    for (Py_ssize_t searches = 0; searches < MOST_SEARCHES; searches++) {
        Py_ssize_t sink;
        int holds = 1;
        begin_search(one, source);
        while ((sink = search(one)) >= 0) {
            holds = send(one, source, sink);
            if (!holds || one->supply[source] <= NOTHING)
                break;
            go_on(one, sink);
        }
        if (sink < 0)
            return 1;
        raise_prices(one, one->settled[sink]);
        if (one->supply[source] <= NOTHING)
            return 1;
    }
    return 0;
}

/* NAN where it does not end. */
FAST static double solve(Transport *one, const double *surplus, const double *costs, Py_ssize_t cells,
                         Py_ssize_t *places)
{
    set_up(one, surplus, costs, cells, places);
    begin(one);
    for (Py_ssize_t source = 0; source < one->sources; source++)
        if (one->supply[source] > NOTHING && !carry(one, source))
            return NAN;
    return work_of(one);
}

/* Into one block of memory, which is at `one->costs`. */
static int allocate(Transport *one, Py_ssize_t cells)
{
    const Py_ssize_t wide = cells + VECTOR;
    one->words = (cells + 63) / 64;
    double *next = malloc((2 * wide * wide + 10 * wide + one->words * (cells + 1)) * sizeof(double));
    if (!next)
        return 0;
    one->costs = next;
    one->flows = next + wide * wide;
    double **rows[] = {&one->supply,      &one->demand,  &one->of_source, &one->of_sink, &one->labels,
                       &one->open_prices, &one->reached, &one->settled};
    next += 2 * wide * wide;
    for (int row = 0; row < 8; row++, next += wide)
        *rows[row] = next;
    one->from_source = (int64_t *)next;
    one->from_sink = (int64_t *)(next + wide);
    one->senders = (uint64_t *)(next + 2 * wide);
    one->unreached = one->senders + cells * one->words;
    return 1;
}

/* least_work(surplus, costs, out, cells): (N, cells), (cells, cells) and (N,) doubles. */
PyObject *least_work(PyObject *self, PyObject *args)
{
    Py_buffer surplus, costs, out;
    Py_ssize_t cells;
    if (!PyArg_ParseTuple(args, "y*y*w*n", &surplus, &costs, &out, &cells))
        return NULL;
    const Py_ssize_t size = sizeof(double), count = out.len / size;
    Py_ssize_t *places = NULL, done = 0;
    Transport one = {0};
    if (cells < 1 || surplus.len != count * cells * size || costs.len != cells * cells * size)
        PyErr_SetString(PyExc_ValueError, "buffers of other lengths than N maps, ways between cells and N numbers");
    else if (!(places = malloc(cells * sizeof(Py_ssize_t))) || !allocate(&one, cells))
        PyErr_NoMemory();
    else {
        double *found = out.buf;
        Py_BEGIN_ALLOW_THREADS
        for (; done < count; done++) {
            found[done] = solve(&one, (double *)surplus.buf + done * cells, costs.buf, cells, places);
            if (isnan(found[done]))
                break;
        }
        Py_END_ALLOW_THREADS
        if (done < count)
            PyErr_SetString(PyExc_ArithmeticError, "a transport problem that does not end");
    }
    free(places);
    free(one.costs);
    PyBuffer_Release(&surplus);
    PyBuffer_Release(&costs);
    PyBuffer_Release(&out);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

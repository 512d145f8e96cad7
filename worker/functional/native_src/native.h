/* The inner loops that an audit would otherwise spend most of its time in. Each has a definition in Python beside
 * this folder, which the tests hold it to: ssim.py, blur.py, resampling.py, normalization.py, noise.py and
 * transport.py. */
#ifndef SALIENCE_AUDIT_NATIVE_H
#define SALIENCE_AUDIT_NATIVE_H
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Compiled for each kind of processor, chosen when the module is loaded. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__)
#define FAST __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FAST
#endif

/* Into each of those kinds. */
#define INLINE static inline __attribute__((always_inline))

PyObject *mean_similarity(PyObject *self, PyObject *args);
PyObject *pair_similarities(PyObject *self, PyObject *args);
PyObject *least_work(PyObject *self, PyObject *args);
PyObject *degrade(PyObject *self, PyObject *args);
PyObject *resize(PyObject *self, PyObject *args);
PyObject *look_up(PyObject *self, PyObject *args);
PyObject *salt_and_pepper(PyObject *self, PyObject *args);

#endif

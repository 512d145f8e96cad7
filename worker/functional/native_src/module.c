#include "native.h"

static PyMethodDef methods[] = {
    {"look_up", look_up, METH_VARARGS, "8-bit images to normalised floats, channels last."},
    {"salt_and_pepper", salt_and_pepper, METH_VARARGS, "Values flipped to black or white as scikit-image does."},
    {"degrade", degrade, METH_VARARGS, "Every pixel blurred with the Gaussian of its level."},
    {"resize", resize, METH_VARARGS, "8-bit maps resized as Pillow does."},
    {"mean_similarity", mean_similarity, METH_VARARGS, "Mean SSIM of pairs of 8-bit maps."},
    {"pair_similarities", pair_similarities, METH_VARARGS, "SSIM of all pairs of runs of 7 x 7 maps."},
    {"least_work", least_work, METH_VARARGS, "The least work that makes one map another."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_native", NULL, -1, methods};

PyMODINIT_FUNC PyInit__native(void)
{
    return PyModule_Create(&module);
}

"""What torch's operations do to where things are, by their names without underscores."""

_CONVOLUTIONS = {"conv2d", "conv_transpose2d"}
_NORMS = {"batch_norm", "group_norm", "instance_norm", "local_response_norm"}
_POOLS = {"max_pool2d", "max_pool2d_with_indices", "avg_pool2d", "lp_pool2d", "fractional_max_pool2d"}
_ADAPTIVE_POOLS = {"adaptive_avg_pool2d", "adaptive_max_pool2d", "adaptive_max_pool2d_with_indices"}
_RESAMPLINGS = {"interpolate", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "dropout2d"}
# Whatever these take and make is NCHW, where it has four axes.
SPATIAL = frozenset(_CONVOLUTIONS | _NORMS | _POOLS | _ADAPTIVE_POOLS | _RESAMPLINGS)
_RECTIFIERS = {"relu", "relu6", "leaky_relu", "prelu", "elu", "selu", "celu", "gelu", "silu", "mish", "softplus"}
_SQUASHING = {"sigmoid", "tanh", "hardtanh", "hardswish", "hardsigmoid", "clamp", "clamp_min", "softmax", "normalize"}
_ARITHMETIC = {"add", "iadd", "radd", "sub", "isub", "rsub", "mul", "imul", "rmul", "div", "truediv", "neg", "pow"}
_MORE_ARITHMETIC = {"exp", "square", "lerp", "addcmul", "where", "masked_fill", "layer_norm", "rms_norm"}
_COPIES = {"dropout", "feature_dropout", "clone", "contiguous", "float", "to", "type", "type_as", "detach"}
# These leave every number where it is, or join tensors number by number.
ELEMENTWISE = frozenset(_RECTIFIERS | _SQUASHING | _ARITHMETIC | _MORE_ARITHMETIC | _COPIES | _NORMS)
_RESHAPES = {"view", "reshape", "reshape_as", "view_as", "flatten", "unflatten", "squeeze", "unsqueeze", "expand"}
_TURNS = {"permute", "transpose", "swapaxes", "swapdims", "movedim", "moveaxis", "t", "get", "roll", "flip", "rot90"}
_CUTS = {"getitem", "narrow", "select", "index_select", "gather", "chunk", "split", "split_with_sizes", "unbind"}
_JOINS = {"cat", "concat", "stack", "repeat", "repeat_interleave", "tile", "pad", "expand_as", "tensor_split"}
# These move numbers and compute nothing.
MOVES = frozenset(_RESHAPES | _TURNS | _CUTS | _JOINS)
PRODUCTS = frozenset({"matmul", "bmm"})

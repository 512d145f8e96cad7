"""What a graph may hold: operators of ai.onnx that turn numbers into numbers, of shapes that do not depend on them."""

from onnx import TensorProto

OLDEST_OPSET, NEWEST_OPSET = 9, 24
OLDEST_IR, NEWEST_IR = 3, 13
DOMAINS = frozenset({"", "ai.onnx"})

_OPERATORS = """
Conv ConvTranspose Gemm MatMul BatchNormalization InstanceNormalization LayerNormalization GroupNormalization
RMSNormalization LRN LpNormalization MeanVarianceNormalization MaxPool AveragePool LpPool GlobalAveragePool
GlobalMaxPool GlobalLpPool Dropout Attention Einsum
Relu LeakyRelu PRelu Elu Selu Celu Gelu Sigmoid HardSigmoid HardSwish Swish Mish Softplus Softsign Tanh
ThresholdedRelu Softmax LogSoftmax Hardmax Clip Erf Shrink
Add Sub Mul Div Neg Abs Pow Sqrt Exp Log Reciprocal Sin Cos Tan Atan Floor Ceil Round Sign Mod Min Max Mean Sum
CumSum IsNaN IsInf
ReduceMean ReduceSum ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceSumSquare ReduceLogSum
ReduceLogSumExp ArgMax ArgMin
Equal Greater GreaterOrEqual Less LessOrEqual Not And Or Xor Where
Identity Constant ConstantOfShape Shape Size Reshape Flatten Squeeze Unsqueeze Transpose Concat Split Slice
Gather GatherElements GatherND ScatterElements ScatterND Expand Tile Pad Cast CastLike Range Resize Upsample
DepthToSpace SpaceToDepth Trilu TopK OneHot
"""
OPERATORS = frozenset(_OPERATORS.split())

TYPES: dict[int, int] = {
    TensorProto.FLOAT: 4,
    TensorProto.DOUBLE: 8,
    TensorProto.INT64: 8,
    TensorProto.INT32: 4,
    TensorProto.UINT8: 1,
    TensorProto.BOOL: 1,
}
"""Of a tensor in the file, with its bytes an element."""

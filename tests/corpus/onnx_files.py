"""Hostile ONNX files: what would read other files, run something else, fill the memory, or never end."""

import io
import stat
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

UNSAFE, INVALID, UNSUPPORTED = "model-unsafe", "model-invalid", "onnx-not-supported"
SIZE = 224


def network(*before: NodeProto, first: str = "images", weights: tuple[TensorProto, ...] = ()) -> ModelProto:
    """A convolution, a pooling and a linear layer, behind other nodes that make ``first``."""
    nodes = [
        *before,
        helper.make_node("Conv", [first, "kernel"], ["features"], strides=[32, 32]),
        helper.make_node("GlobalAveragePool", ["features"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "matrix"], ["logits"], transB=1),
    ]
    own = (
        numpy_helper.from_array(np.arange(36, dtype=np.float32).reshape(4, 3, 3, 1) / 36 - 0.5, "kernel"),
        numpy_helper.from_array(np.arange(8, dtype=np.float32).reshape(2, 4) - 3, "matrix"),
    )
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, SIZE, SIZE])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 2])
    graph = helper.make_graph(nodes, "network", [images], [logits], [*own, *weights])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def number(name: str, value: Any, kind: type[np.generic] = np.int64) -> TensorProto:
    return numpy_helper.from_array(np.asarray(value, kind), name)


def body(*nodes: NodeProto) -> GraphProto:
    """Of a loop, or one way of a branch."""
    count = helper.make_tensor_value_info("count", TensorProto.INT64, [])
    goes_on = helper.make_tensor_value_info("goes_on", TensorProto.BOOL, [])
    carried = helper.make_tensor_value_info("carried", TensorProto.FLOAT, None)
    out = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("still", "next")]
    return helper.make_graph(list(nodes), "body", [count, goes_on, carried], out)


def endless_loop() -> ModelProto:
    again = body(
        helper.make_node("Identity", ["goes_on"], ["still"]), helper.make_node("Identity", ["carried"], ["next"])
    )
    loop = helper.make_node("Loop", ["most", "yes", "images"], ["looped"], body=again)
    return network(loop, first="looped", weights=(number("most", 2**62), number("yes", True, np.bool_)))


def branch() -> ModelProto:
    way = helper.make_graph(
        [helper.make_node("Identity", ["images"], ["taken"])],
        "way",
        [],
        [helper.make_tensor_value_info("taken", TensorProto.FLOAT, None)],
    )
    either = helper.make_node("If", ["yes"], ["either"], then_branch=way, else_branch=way)
    return network(either, first="either", weights=(number("yes", True, np.bool_),))


def recursive_function() -> ModelProto:
    model = network(helper.make_node("Again", ["images"], ["same"], domain="own"), first="same")
    calls_itself = helper.make_node("Again", ["x"], ["y"], domain="own")
    imports = [helper.make_opsetid("own", 1), helper.make_opsetid("", 17)]
    model.functions.append(helper.make_function("own", "Again", ["x"], ["y"], [calls_itself], imports))
    model.opset_import.append(helper.make_opsetid("own", 1))
    return model


def with_node(kind: str, *, domain: str = "", **attributes: Any) -> ModelProto:
    return network(helper.make_node(kind, ["images"], ["changed"], domain=domain, **attributes), first="changed")


def grown(*shape: int) -> ModelProto:
    """Images plus a tensor of that shape, summed up again."""
    huge = helper.make_node("ConstantOfShape", ["shape"], ["huge"])
    total = helper.make_node("ReduceSum", ["huge"], ["total"], keepdims=0)
    added = helper.make_node("Add", ["images", "total"], ["added"])
    return network(huge, total, added, first="added", weights=(number("shape", shape),))


def in_a_ring() -> ModelProto:
    one = helper.make_node("Identity", ["b"], ["a"])
    other = helper.make_node("Identity", ["a"], ["b"])
    return network(one, other, first="b")


def changed(change: Callable[[TensorProto], None]) -> ModelProto:
    """With something about the last layer's weights that is not so."""
    model = network()
    change(model.graph.initializer[1])
    return model


def external(**facts: str) -> Callable[[TensorProto], None]:
    def change(tensor: TensorProto) -> None:
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in facts.items():
            tensor.external_data.add(key=key, value=value)

    return change


def set_dims(*dims: int) -> Callable[[TensorProto], None]:
    def change(tensor: TensorProto) -> None:
        tensor.dims[:] = dims

    return change


def fill(value: float) -> Callable[[TensorProto], None]:
    def change(tensor: TensorProto) -> None:
        tensor.CopyFrom(numpy_helper.from_array(np.full((2, 4), value, np.float32), tensor.name))

    return change


def half(tensor: TensorProto) -> None:
    tensor.CopyFrom(numpy_helper.from_array(np.ones((2, 4), np.float16), tensor.name))


def constant_elsewhere() -> ModelProto:
    value = numpy_helper.from_array(np.zeros(1, np.float32), "value")
    external(location="passwd")(value)
    constant = helper.make_node("Constant", [], ["constant"], value=value)
    added = helper.make_node("Add", ["images", "constant"], ["added"])
    return network(constant, added, first="added")


def zipped(model: ModelProto, name: str = "weights.bin", content: bytes = b"", *, link: bool = False) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo("model.onnx"), serialised(model))
        entry = zipfile.ZipInfo(name)
        entry.external_attr = ((stat.S_IFLNK if link else stat.S_IFREG) | 0o644) << 16
        archive.writestr(entry, content)
    return file.getvalue()


def serialised(model: ModelProto) -> bytes:
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def nested(depth: int) -> bytes:
    """Graphs of attributes of nodes of graphs."""
    inner = b""
    for _ in range(depth):
        attribute = b"\x32" + _sized(inner)
        inner = b"\x0a" + _sized(b"\x2a" + _sized(attribute))
    return b"\x3a" + _sized(inner) + b"\x42\x02\x10\x11"


def _sized(data: bytes) -> bytes:
    length, digits = len(data), bytearray()
    while length > 127:
        digits.append(length & 127 | 128)
        length >>= 7
    return bytes([*digits, length]) + data


def empty_nodes(count: int) -> bytes:
    return b"\x3a" + _sized(b"\x0a\x00" * count) + b"\x42\x02\x10\x11"


def listed() -> bytes:
    """External data by a plain name, all in order."""
    content = np.arange(8, dtype=np.float32).tobytes()
    return zipped(changed(external(location="weights.bin", offset="0", length="32")), content=content)


GOOD = {"graph.onnx": lambda: serialised(network()), "graph_with_data.onnx.zip": listed}

HOSTILE: dict[str, tuple[Callable[[], bytes], tuple[str, ...]]] = {
    "endless_loop.onnx": (lambda: serialised(endless_loop()), (UNSUPPORTED,)),
    "branch.onnx": (lambda: serialised(branch()), (UNSUPPORTED,)),
    "recursive_function.onnx": (lambda: serialised(recursive_function()), (UNSUPPORTED,)),
    "other_domain.onnx": (lambda: serialised(with_node("Run", domain="com.microsoft")), (UNSUPPORTED,)),
    "random.onnx": (lambda: serialised(with_node("RandomNormalLike")), (UNSUPPORTED,)),
    "training.onnx": (
        lambda: serialised(
            network(
                helper.make_node("Dropout", ["images", "half", "yes"], ["dropped"]),
                first="dropped",
                weights=(number("half", 0.5, np.float32), number("yes", True, np.bool_)),
            )
        ),
        (UNSUPPORTED,),
    ),
    "ring.onnx": (lambda: serialised(in_a_ring()), (INVALID,)),
    "no_inputs.onnx": (lambda: serialised(network(helper.make_node("Relu", [], ["x"]), first="x")), (INVALID,)),
    "wrong_attribute.onnx": (lambda: serialised(with_node("Transpose", perm=b"0312")), (INVALID,)),
    "huge.onnx": (lambda: serialised(grown(2**30, 2**30)), (UNSAFE,)),
    "huge_negative.onnx": (lambda: serialised(grown(-1, 4)), (INVALID, UNSUPPORTED, "model-output-mismatch")),
    "external_above.onnx": (lambda: serialised(changed(external(location="../../etc/passwd"))), (UNSAFE,)),
    "external_absolute.onnx.zip": (lambda: zipped(changed(external(location="/etc/passwd"))), (UNSAFE,)),
    "external_folder.onnx.zip": (
        lambda: zipped(changed(external(location="sub/weights.bin")), "sub/weights.bin", bytes(32)),
        (UNSAFE,),
    ),
    "external_itself.onnx.zip": (lambda: zipped(changed(external(location="model.onnx"))), (UNSAFE,)),
    "external_link.onnx.zip": (
        lambda: zipped(changed(external(location="weights.bin")), content=b"/etc/passwd", link=True),
        (INVALID,),
    ),
    "external_short.onnx.zip": (
        lambda: zipped(changed(external(location="weights.bin", offset="4")), content=bytes(32)),
        (INVALID,),
    ),
    "external_offset.onnx.zip": (
        lambda: zipped(changed(external(location="weights.bin", offset="-4")), content=bytes(64)),
        (UNSAFE,),
    ),
    "external_length.onnx.zip": (
        lambda: zipped(changed(external(location="weights.bin", length="9" * 12)), content=bytes(32)),
        (INVALID,),
    ),
    "external_in_an_attribute.onnx": (lambda: serialised(constant_elsewhere()), (UNSAFE,)),
    "more_than_its_bytes.onnx": (lambda: serialised(changed(set_dims(2**20, 2**15))), (INVALID,)),
    "shape_overflow.onnx": (lambda: serialised(changed(set_dims(2**62, 2**62, 16))), (INVALID,)),
    "negative_shape.onnx": (lambda: serialised(changed(set_dims(-2, -4))), (INVALID,)),
    "nan.onnx": (lambda: serialised(changed(fill(float("nan")))), ("model-nonfinite-weights",)),
    "half_precision.onnx": (lambda: serialised(changed(half)), (UNSUPPORTED,)),
    "deep.onnx": (lambda: nested(200), (UNSAFE,)),
    "two_million_nodes.onnx": (lambda: empty_nodes(2_000_000), (UNSAFE,)),
    "cut.onnx": (lambda: serialised(network())[:-40], (INVALID,)),
    "longer_than_it_is.onnx": (lambda: b"\x3a\xff\xff\xff\xff\x7f" + bytes(20), (INVALID,)),
    "name_of_no_alphabet.onnx": (lambda: serialised(network()).replace(b"pooled", b"pool\xff\x80"), (INVALID,)),
    "no_graph.onnx": (lambda: b"\x08\x07\x12\x07pytorch", (INVALID,)),
    "two_graphs.onnx.zip": (lambda: zipped(network(), "other.onnx", serialised(network())), (INVALID,)),
    "empty_zip.onnx.zip": (lambda: zipped(network(), "x")[-22:], (INVALID,)),
}

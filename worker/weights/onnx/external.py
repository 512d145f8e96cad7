"""Numbers that a graph keeps in files beside it: taken in, where they are files of its own ZIP."""

from collections.abc import Callable, Mapping

from onnx import ModelProto, TensorProto

from app.domain.refusals.graphs import GRAPH_TENSOR, GRAPH_UNSAFE
from worker.weights.onnx.judging import byte_count

Files = Mapping[str, Callable[[], memoryview]]
"""By plain name, those in the graph's own folder."""


def inline_external(model: ModelProto, files: Files) -> None:
    """Raises InputFailure ``model-unsafe`` or ``model-invalid``, naming the tensor."""
    opened: dict[str, memoryview] = {}
    for tensor in model.graph.initializer:
        if tensor.data_location == TensorProto.EXTERNAL:
            _inline(tensor, _facts(tensor), files, opened)


def _facts(tensor: TensorProto) -> dict[str, str]:
    facts = {entry.key: entry.value for entry in tensor.external_data}
    if len(facts) != len(tensor.external_data):
        raise GRAPH_UNSAFE.failure(what=f"the place of the tensor {tensor.name!r} is told twice")
    return facts


def _inline(tensor: TensorProto, facts: dict[str, str], files: Files, opened: dict[str, memoryview]) -> None:
    location = facts.get("location", "")
    if location not in files:
        what = f"its tensor {tensor.name!r} lies in {location!r}, which is no file beside it in its ZIP"
        raise GRAPH_UNSAFE.failure(what=what)
    if location not in opened:
        opened[location] = files[location]()
    content = opened[location]
    expected = byte_count(tensor)
    offset = _number(tensor, facts.get("offset", "0"))
    length = _number(tensor, facts.get("length", str(expected)))
    if length != expected or offset + length > len(content):
        found = length if length != expected else max(0, len(content) - offset)
        raise GRAPH_TENSOR.failure(name=repr(tensor.name), found=found, expected=expected)
    tensor.raw_data = bytes(content[offset : offset + length])
    tensor.ClearField("external_data")
    tensor.ClearField("data_location")


def _number(tensor: TensorProto, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise GRAPH_UNSAFE.failure(what=f"the place of the tensor {tensor.name!r} is no number")
    return int(text)

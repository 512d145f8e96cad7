"""The one file that audits run: the graph as it was judged, and nothing else that was in the upload."""

from collections.abc import Iterator

from onnx import ModelProto, helper

from worker.weights.onnx.entrance import Entrance, fix_entrance
from worker.weights.onnx.judging import opset_of
from worker.weights.onnx.values import Values

PART_BYTES = 4 * 1024**2
_OWN_WEIGHTS = 4
"""The version of the format from which on weights need not stand among the inputs."""


def canonical(model: ModelProto, entrance: Entrance) -> ModelProto:
    """Nodes, weights, the input as it was found, the output's name; no words, no metadata, no shapes between."""
    graph = model.graph
    for node in graph.node:
        node.ClearField("doc_string")
        node.ClearField("metadata_props")
        node.ClearField("device_configurations")
        node.ClearField("domain")
    for tensor in graph.initializer:
        tensor.ClearField("doc_string")
        tensor.ClearField("metadata_props")
    outputs = [helper.make_empty_tensor_value_info(each.name) for each in graph.output]
    made = helper.make_graph([], "graph", Values(model).inputs(), outputs)
    made.node.extend(graph.node)
    made.initializer.extend(graph.initializer)
    clean = helper.make_model(
        made, opset_imports=[helper.make_opsetid("", opset_of(model))], ir_version=max(model.ir_version, _OWN_WEIGHTS)
    )
    fix_entrance(clean, entrance)
    return clean


def graph_parts(model: ModelProto) -> Iterator[bytes]:
    """The file piece by piece."""
    data = memoryview(model.SerializeToString(deterministic=True))
    for start in range(0, len(data), PART_BYTES):
        yield bytes(data[start : start + PART_BYTES])

"""From an uploaded file to a judged graph with all of its numbers in it."""

import zipfile
from functools import partial
from pathlib import PurePosixPath
from typing import BinaryIO

from google.protobuf.message import DecodeError
from onnx import ModelProto, checker

from app.domain.refusals.graphs import GRAPH_DAMAGED, GRAPH_UNSAFE, NO_GRAPH
from worker.weights.onnx.external import Files, inline_external
from worker.weights.onnx.judging import check_graph
from worker.weights.onnx.values import Values
from worker.weights.onnx.wire import check_structure
from worker.weights.zipped_files import ZippedFiles, zip_directory

MAX_BYTES = 2**31 - 2**20
"""Of one file: no protocol buffer is longer than 2 GiB."""
_SUFFIX = ".onnx"
_ZIP = b"PK\x03\x04"


def read_model(file: BinaryIO) -> ModelProto:
    """One file, or a ZIP of one with its external data beside it; nothing in it is run.

    Raises InputFailure: ``model-invalid``, ``model-unsafe``, ``onnx-not-supported`` or ``archive-duplicate-entry``.
    """
    file.seek(0)
    if file.read(len(_ZIP)) == _ZIP:
        with zip_directory(file) as archive:
            return _read_zip(archive)
    file.seek(0)
    model = parsed(file.read(MAX_BYTES + 1))
    return _judged(model, {})


def _judged(model: ModelProto, files: Files) -> ModelProto:
    inline_external(model, files)
    check_graph(model)
    try:
        # Its nodes as their operators want them, each after those that it needs.
        checker.check_model(Values(model).skeleton())
    except checker.ValidationError as error:
        raise GRAPH_DAMAGED.failure(what=str(error).partition("\n")[0]) from error
    return model


def _content(files: ZippedFiles, name: str) -> memoryview:
    return files.opened(name).getbuffer()


def parsed(data: bytes) -> ModelProto:
    """Raises InputFailure ``model-invalid`` or ``model-unsafe``."""
    if len(data) > MAX_BYTES:
        raise GRAPH_UNSAFE.failure(what="it is longer than 2 GiB")
    check_structure(memoryview(data), ModelProto.DESCRIPTOR)
    try:
        model: ModelProto = ModelProto.FromString(data)
    except DecodeError as error:
        raise GRAPH_DAMAGED.failure(what="it is no protocol buffer of ONNX") from error
    if not model.graph.node or not model.opset_import:
        raise NO_GRAPH.failure()
    return model


def _read_zip(archive: zipfile.ZipFile) -> ModelProto:
    files = ZippedFiles(archive)
    graphs = [name for name in files.names() if name.endswith(_SUFFIX)]
    if len(graphs) != 1:
        raise NO_GRAPH.failure()
    model = parsed(files.opened(graphs[0]).getvalue())
    folder = PurePosixPath(graphs[0]).parent
    beside = {
        PurePosixPath(name).name: name
        for name in files.names()
        if PurePosixPath(name).parent == folder and name != graphs[0]
    }
    return _judged(model, {short: partial(_content, files, name) for short, name in beside.items()})

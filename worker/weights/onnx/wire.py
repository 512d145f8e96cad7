"""A protocol buffer's structure, walked before anything is made of it.

A message of two bytes becomes an object of a hundred: a file that fits the disk could fill the memory. So the messages
and the fields that repeat are counted first; the long fields, which hold numbers, are stepped over.
"""

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from app.domain.refusals.graphs import GRAPH_DAMAGED, GRAPH_UNSAFE

MAX_FIELDS = 400_000
MAX_DEPTH = 12
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LENGTHS = {_FIXED64: 8, _FIXED32: 4}


def check_structure(data: memoryview, message: Descriptor) -> None:
    """``data`` as a ``message``. Raises InputFailure ``model-invalid`` or ``model-unsafe``."""
    open_messages = [(0, len(data), message)]
    fields = 0
    while open_messages:
        place, end, kind = open_messages.pop()
        while place < end:
            fields += 1
            if fields > MAX_FIELDS:
                raise GRAPH_UNSAFE.failure(what=f"it has more than {MAX_FIELDS} fields")
            key, place = _varint(data, place, end)
            length, place = _length(data, key & 7, place, end)
            inner = kind.fields_by_number.get(key >> 3)
            if key & 7 == _BYTES and inner is not None and inner.message_type is not None:
                if len(open_messages) >= MAX_DEPTH:
                    raise GRAPH_UNSAFE.failure(what="its messages lie too deep in each other")
                open_messages.append((place + length, end, kind))
                end, kind = place + length, inner.message_type
            else:
                if key & 7 == _BYTES and inner is not None:
                    _check_text(data[place : place + length], inner)
                place += length


def _check_text(data: memoryview, field: FieldDescriptor) -> None:
    """ONNX's texts are UTF-8, which protobuf does not look at; what people remark is read by nobody."""
    if field.type != FieldDescriptor.TYPE_STRING or field.name == "doc_string":
        return
    try:
        str(data, "utf-8")
    except UnicodeDecodeError as error:
        raise GRAPH_DAMAGED.failure(what="a name in it is not UTF-8") from error


def _length(data: memoryview, wire_type: int, place: int, end: int) -> tuple[int, int]:
    """How long a field is, and where it begins; of a number that varies in length, no more of it is left."""
    if wire_type == _VARINT:
        return 0, _varint(data, place, end)[1]
    if wire_type == _BYTES:
        length, place = _varint(data, place, end)
    elif wire_type in _LENGTHS:
        length = _LENGTHS[wire_type]
    else:
        raise GRAPH_DAMAGED.failure(what="a field of an unknown kind")
    if length > end - place:
        raise GRAPH_DAMAGED.failure(what="it is shorter than it says")
    return length, place


def _varint(data: memoryview, place: int, end: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 70, 7):
        if place >= end:
            break
        byte = data[place]
        place += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, place
    raise GRAPH_DAMAGED.failure(what="it is shorter than it says")

"""The directory of a torch.save file is never read whole where it claims to be longer than any real one."""

import io
import struct

import pytest

from app.errors import InputFailure
from worker.weights.stored_zip import MAX_DIRECTORY_BYTES, StoredZip


def test_a_directory_that_is_too_long() -> None:
    size = MAX_DIRECTORY_BYTES + 1
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, size, 4, 0)
    with pytest.raises(InputFailure, match="too long") as refused:
        StoredZip(io.BytesIO(b"PK\x03\x04" + bytes(size) + end))
    assert refused.value.code == "model-unsafe"

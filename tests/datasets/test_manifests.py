"""Manifests are read line by line: what is long, broken or no text is refused in little memory, naming the line."""

import tracemalloc
from itertools import count

import pytest

from app.errors import InputFailure
from app.settings import MEBIBYTE
from worker.archives.manifest import MAX_RECORD, read_table


def refused(name: str, data: bytes) -> str:
    with pytest.raises(InputFailure) as found:
        list(read_table(name, data))
    assert found.value.code == "manifest-invalid"
    return found.value.detail


@pytest.mark.parametrize(
    ("name", "start", "line"),
    [
        ("manifest.jsonl", b'{"path": "a.png"}\n{"path": [', 2),
        ("manifest.csv", b"path\na.png\n", 3),
        ("manifest.csv", b'path\na.png\n"', 3),
        ("manifest.csv", b"", 1),
    ],
)
def test_a_line_without_end(name: str, start: bytes, line: int) -> None:
    data = start + b"{}," * (14 * MEBIBYTE // 3)
    tracemalloc.start()
    detail = refused(name, data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert f"Line {line} " in detail
    assert str(MAX_RECORD) in detail
    assert peak < 2 * MEBIBYTE


def test_a_row_of_many_lines_without_end() -> None:
    """The limit is the row's, not the line's."""
    detail = refused("manifest.csv", b'path,label\na.png,"' + b"x\n" * MAX_RECORD)
    assert f"Line {2 + (MAX_RECORD - 8) // 2} " in detail


def test_long_manifests_of_short_rows_are_fine() -> None:
    """Blank lines and rows behind each other do not add up."""
    rows = b"".join(b"%d.png,x\n\n" % number for number in range(MAX_RECORD // 4))
    assert sum(1 for _ in read_table("manifest.csv", b"path,label\n" + b"\n" * MAX_RECORD + rows)) == MAX_RECORD // 4
    lines = b"".join(b'{"path": "%d.png"}\n' % number for number in range(MAX_RECORD // 4))
    assert sum(1 for _ in read_table("manifest.jsonl", b"\n" * MAX_RECORD + lines)) == MAX_RECORD // 4


def test_quoted_newlines_and_every_kind_of_line_end() -> None:
    data = b'\xef\xbb\xbfpath,label\r\n"a\nb.png",cat\r\nc.png,"d\r\ne"\r\n'
    found = [(row.line, row.fields["path"], row.fields["label"]) for row in read_table("manifest.csv", data)]
    assert found == [(3, "a\nb.png", "cat"), (5, "c.png", "d\r\ne")]


def test_what_is_no_text() -> None:
    """Found where it is reached."""
    data = b"path\n" + b"a.png\n" * MAX_RECORD
    rows = read_table("manifest.csv", data + b"\xff\n")
    assert next(rows).fields["path"] == "a.png"
    assert "UTF-8" in refused("manifest.csv", data + b"\xff\n")
    assert "UTF-8" in refused("manifest.jsonl", b"{\xff\xfe")
    assert "UTF-8" in refused("manifest.csv", b"\xff\xfep\0a")


@pytest.mark.parametrize("name", ["manifest.csv", "manifest.jsonl"])
def test_nothing_in_it(name: str) -> None:
    if name.endswith("csv"):
        assert "Line 1 " in refused(name, b"")
    else:
        assert list(read_table(name, b"")) == []


def test_numbers_and_nesting_that_json_does_not_take() -> None:
    for value in (b"1" * 5000, b"[" * 50_000):
        assert "Line 1 " in refused("manifest.jsonl", b'{"path": ' + value)


def test_rows_come_one_at_a_time() -> None:
    rows = read_table("manifest.csv", b"path\n" + b"".join(b"%d.png\n" % n for n in range(100_000)))
    tracemalloc.start()
    assert all(row.fields["path"] == f"{number}.png" for row, number in zip(rows, count(), strict=False))
    assert tracemalloc.get_traced_memory()[1] < MEBIBYTE
    tracemalloc.stop()

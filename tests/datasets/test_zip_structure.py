"""Whatever two readers of a ZIP file could see differently is refused, and the problem names the entry."""

import io
import struct
import zipfile
import zlib

import pytest

from app.errors import InputFailure
from app.imaging.entries import read_entry
from app.settings import MEBIBYTE
from tests.datasets.conftest import Archives
from tests.datasets.crafted_zips import CENTRAL, END, NAME, field, streamed, zipped
from tests.datasets.packing import GOOD, make_zip, picture

AMBIGUOUS, MALFORMED = "archive-ambiguous", "archive-malformed"
MARK = b"PK\x07\x08"
DATA = GOOD["a/1.png"]
FLAGS = {"flags": 0x808, "c_flags": 0x808}
BLANK = FLAGS | {"crc": 0, "stored": 0, "size": 0}


def test_the_makers_of_these_tests_make_good_files(archives: Archives) -> None:
    assert archives.judge(zipped()) == "ok"
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        assert {archives.judge(streamed(method)), archives.judge(streamed(method, wide=True))} == {"ok"}


class TestChecksums:
    @pytest.mark.parametrize("fields", [{"crc": 1}, {"c_crc": 1}, {"crc": 0}, {"c_crc": 0}])
    def test_headers_that_disagree_cost_the_sample(self, archives: Archives, fields: dict[str, int]) -> None:
        """Whichever of the two is right."""
        content = zipped(fields)
        (entry,) = archives.entries(content)
        with pytest.raises(InputFailure, match="sample-corrupt"):
            read_entry(archives.blobs, archives.put(content), entry, MEBIBYTE)


class TestDescriptors:
    def tail(self, layout: str = "<3I", other: dict[str, int] | None = None, *, mark: bytes = b"") -> bytes:
        told = {"crc": zlib.crc32(DATA), "stored": len(DATA), "size": len(DATA)} | (other or {})
        return mark + struct.pack(layout, told["crc"], told["stored"], told["size"])

    @pytest.mark.parametrize("layout", ["<3I", "<I2Q"])
    @pytest.mark.parametrize("mark", [b"", MARK])
    @pytest.mark.parametrize("fields", [BLANK, FLAGS, FLAGS | {"crc": 0}, FLAGS | {"size": 0}])
    def test_every_form(self, archives: Archives, layout: str, mark: bytes, fields: dict[str, int]) -> None:
        assert archives.judge(zipped(fields, tail=self.tail(layout, mark=mark))) == "ok"

    @pytest.mark.parametrize("name", ["crc", "stored", "size"])
    def test_other_numbers(self, archives: Archives, name: str) -> None:
        quoted = ascii(NAME)
        for layout in ("<3I", "<I2Q"):
            assert archives.judge(zipped(BLANK, tail=self.tail(layout, {name: 7})), quoted) == AMBIGUOUS
        assert archives.judge(zipped(BLANK | {name: 7}, tail=self.tail()), quoted) == AMBIGUOUS

    @pytest.mark.parametrize("tail", [b"", bytes(12), bytes(16), b"PK\x07\x09" + bytes(12), bytes(4)])
    def test_none_or_something_else(self, archives: Archives, tail: bytes) -> None:
        assert archives.judge(zipped(BLANK, tail=tail), ascii(NAME)) == AMBIGUOUS

    def test_more_behind_it_or_one_that_is_not_told_of(self, archives: Archives) -> None:
        assert archives.judge(zipped(BLANK, tail=self.tail() + bytes(4)), ascii(NAME)) == AMBIGUOUS
        assert archives.judge(zipped(tail=self.tail()), ascii(NAME)) == AMBIGUOUS


class TestTheEnd:
    @pytest.mark.parametrize("length", [1, 21, 22, 23, 70_000, 3 * MEBIBYTE])
    @pytest.mark.parametrize("byte", [b"\0", b"PK\x05\x06"])
    def test_bytes_behind_it(self, archives: Archives, length: int, byte: bytes) -> None:
        for content in (make_zip(GOOD), make_zip({}), zipped()):
            assert archives.judge(content + (byte * length)[:length]) == AMBIGUOUS

    def test_bytes_behind_a_comment(self, archives: Archives) -> None:
        content = make_zip(GOOD)[:-2] + struct.pack("<H", 5) + b"hello"
        assert archives.judge(content) == "ok"
        assert archives.judge(content + b"!") == AMBIGUOUS
        assert archives.judge(content[:-1]) == MALFORMED

    @pytest.mark.parametrize("cut", [1, 2, 21, 22, 23, 40, 90])
    def test_none(self, archives: Archives, cut: int) -> None:
        """Cut off; with a whole archive within it that is stored, too."""
        inner = make_zip({**GOOD, "a/3.zip": make_zip(GOOD, zipfile.ZIP_STORED)}, zipfile.ZIP_STORED)
        assert archives.judge(make_zip(GOOD)[:-cut]) == archives.judge(inner[:-cut]) == MALFORMED

    def test_two_that_disagree(self, archives: Archives) -> None:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("a/1.png", GOOD["a/1.png"])
        content = file.getvalue()
        end = content.index(END)
        size, start = struct.unpack_from("<2I", content, end + 12)
        wide = struct.pack("<4sQ2H2I4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, size, start)
        locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)

        def ended(count: int, told: int, disk: int = 0, start: int = 0xFFFF_FFFF) -> bytes:
            last = struct.pack("<4s4H2IH", END, disk, disk, count, count, told, start, 0)
            return content[:end] + wide + locator + last

        assert archives.judge(ended(1, size, start=start)) == "ok"
        assert archives.judge(ended(1, size, start=start + 1)) == AMBIGUOUS
        assert archives.judge(ended(1, size, start=start) + b"more") == AMBIGUOUS

        assert {
            archives.judge(ended(1, size)),
            archives.judge(ended(0xFFFF, 0xFFFF_FFFF)),
            archives.judge(ended(1, size, 0xFFFF)),
        } == {"ok"}
        assert {archives.judge(ended(2, size)), archives.judge(ended(1, size + 1))} == {AMBIGUOUS}
        assert archives.judge(ended(1, size, 1)) == MALFORMED


class TestNames:
    """Of archivers that write another code page, or do not say which one."""

    UNTOLD, ON_WINDOWS = {"flags": 0, "c_flags": 0}, {"flags": 0, "c_flags": 0, "c_maker": 0x0B14}
    OLD = pytest.mark.parametrize(
        ("page", "name"), [("cp866", "a/кот.png"), ("cp932", "a/写真.png"), ("cp850", "a/Ø.png")]
    )

    def told(self, raw: bytes, name: bytes) -> bytes:
        return field(0x7075, struct.pack("<BI", 1, zlib.crc32(raw)) + name)

    def names(self, archives: Archives, content: bytes) -> list[str]:
        return [entry.name for entry in archives.entries(content)]

    def test_utf8_that_nobody_tells_of(self, archives: Archives) -> None:
        raw = "a/写真.png".encode()
        assert self.names(archives, zipped(self.UNTOLD, raw=raw)) == ["a/写真.png"]
        assert self.names(archives, zipped(self.ON_WINDOWS, raw=raw)) == ["a/写真.png"]
        assert self.names(archives, zipped(self.UNTOLD, raw=b"a/\x84.png")) == ["a/ä.png"]

    @OLD
    def test_a_field_says_the_name(self, archives: Archives, page: str, name: str) -> None:
        raw = name.encode(page)
        told = self.told(raw, name.encode())
        for content in (
            zipped(self.ON_WINDOWS, raw=raw, central=told),
            zipped(self.ON_WINDOWS, raw=raw, central=told, extra=told),
        ):
            assert self.names(archives, content) == [name]

    @OLD
    def test_a_field_that_is_not_this_names(self, archives: Archives, page: str, name: str) -> None:
        raw = name.encode(page)
        told = self.told(raw, name.encode())
        for central, extra in (
            (self.told(b"other", name.encode()), b""),
            (self.told(raw, b"a/\xff.png"), b""),
            (told, self.told(raw, b"a/other.png")),
            (b"", self.told(raw, b"a/other.png")),
        ):
            assert archives.judge(zipped(self.ON_WINDOWS, raw=raw, central=central, extra=extra)) == AMBIGUOUS
        evil = self.told(raw, b"../evil.png")
        assert archives.judge(zipped(self.ON_WINDOWS, raw=raw, central=evil)) == "archive-unsafe-path"


class TestExtraFields:
    @pytest.mark.parametrize("place", ["extra", "central"])
    def test_another_name(self, archives: Archives, place: str) -> None:
        def unicode(name: str) -> bytes:
            return field(0x7075, struct.pack("<BI", 1, zlib.crc32(NAME.encode())) + name.encode())

        assert archives.judge(zipped(**{place: unicode(NAME)})) == "ok"  # type: ignore[arg-type]
        for other in ("../evil.png", "", NAME + "\0", NAME[:-1]):
            assert archives.judge(zipped(**{place: unicode(other)}), ascii(NAME)) == AMBIGUOUS  # type: ignore[arg-type]
        cut = unicode(NAME)[:-3]
        assert archives.judge(zipped(**{place: cut}), ascii(NAME)) == AMBIGUOUS  # type: ignore[arg-type]

    def test_one_that_comes_twice(self, archives: Archives) -> None:
        size = len(GOOD["a/1.png"])
        wide = field(1, struct.pack("<2Q", size, size))
        told = {"size": 0xFFFF_FFFF, "stored": 0xFFFF_FFFF}
        assert archives.judge(zipped(told, extra=wide)) == "ok"
        assert archives.judge(zipped(told, extra=wide + field(1, bytes(16))), ascii(NAME)) == AMBIGUOUS

    def test_those_that_do_not_matter(self, archives: Archives) -> None:
        assert archives.judge(zipped(extra=field(0x5455, b"x" * 9) + b"\0\0\0", central=field(0xCAFE, b"") * 2)) == "ok"

    def test_other_volumes(self, archives: Archives) -> None:
        def disk(number: int, place: int = 0) -> bytes:
            return field(1, struct.pack("<QI", place, number))

        assert archives.judge(zipped({"c_disk": 1})) == MALFORMED
        assert archives.judge(zipped({"c_disk": 0xFFFF})) == MALFORMED
        assert archives.judge(zipped({"c_disk": 0xFFFF, "c_local": 0xFFFF_FFFF}, central=disk(0))) == "ok"
        assert archives.judge(zipped({"c_disk": 0xFFFF, "c_local": 0xFFFF_FFFF}, central=disk(1))) == MALFORMED
        assert archives.judge(zipped({"c_disk": 0xFFFF}, central=field(1, bytes(4)))) == "ok"


def test_folders_with_content(archives: Archives) -> None:
    good = make_zip({"a/": b"", **GOOD})
    assert archives.judge(good) == "ok"
    deflated = io.BytesIO()
    with zipfile.ZipFile(deflated, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a/", "w") as folder:
        folder.write(b"")
    assert archives.judge(deflated.getvalue()) == "ok"
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        content = make_zip({"a/x": picture()}, method).replace(b"a/x", b"xa/")
        assert archives.judge(content, "'xa/'") == AMBIGUOUS


@pytest.mark.parametrize("system", [3, 19])
def test_links_of_every_maker(archives: Archives, system: int) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        link = zipfile.ZipInfo("a/link.png")
        link.create_system, link.external_attr = system, 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    (entry,) = archives.entries(file.getvalue())
    assert (entry.name, entry.skip) == ("a/link.png", "symbolic-link")


def test_gaps_and_overlaps_are_named(archives: Archives) -> None:
    content = make_zip(GOOD, zipfile.ZIP_STORED)
    central = content.index(CENTRAL)
    second = content.index(b"PK\x03\x04", 4)

    def moved(place: int) -> bytes:
        """With eight bytes there that belong to no entry."""
        directory = bytearray(content[central:-22])
        if place == second:
            at = directory.index(CENTRAL, 4) + 42
            directory[at : at + 4] = struct.pack("<I", second + 8)
        end = struct.pack("<4s4H2IH", END, 0, 0, 2, 2, len(directory), central + 8, 0)
        return content[:place] + bytes(8) + content[place:central] + directory + end

    assert archives.judge(moved(second), "'a/1.png'") == AMBIGUOUS
    assert archives.judge(moved(central), "'b/2.png'") == AMBIGUOUS
    record = content[central : content.index(CENTRAL, central + 4)]
    twice = struct.pack("<4s4H2IH", END, 0, 0, 2, 2, 2 * len(record), central, 0)
    assert archives.judge(content[:central] + record * 2 + twice, "'a/1.png'") == AMBIGUOUS
    assert archives.judge(content[:central] + struct.pack("<4s4H2IH", END, 0, 0, 0, 0, 0, central, 0)) == AMBIGUOUS

"""Names in the code pages of old archivers are found over all names together; what is assumed is told."""

import pytest

from tests.datasets.conftest import Archives
from tests.datasets.crafted_zips import zipped
from worker.archives.name_encodings import PAGES, detect_encoding

WORDS = {
    "cp866": ["кот", "собака", "Животные", "медведь", "Фото"],
    "cp932": ["犬", "写真", "動物/りんご", "画像データ"],
    "gb18030": ["狗", "图片", "苹果/照片1", "训练集", "猫"],
    "cp850": ["Ø", "für", "Vögel", "Hündin", "straße", "ñandú"],
    "cp949": ["고양이", "강아지", "사진"],
    "cp1251": ["кот", "собака", "Фото"],
    "utf-8": ["кот", "犬", "für", "고양이"],
}


@pytest.mark.parametrize("encoding", WORDS)
def test_few_words_are_enough(encoding: str) -> None:
    words = WORDS[encoding]
    for count in range(2, len(words) + 1):
        names = [f"{word}/{number}.png".encode(encoding) for word in words[:count] for number in range(3)]
        found = detect_encoding(names)
        assert [name.decode(found) for name in names] == [name.decode(encoding) for name in names], (count, found)


def test_any_bytes_have_some_encoding() -> None:
    for byte in range(128, 256):
        for name in (bytes([byte]), b"a" + bytes([byte]) + b"b", bytes([byte] * 3)):
            assert detect_encoding([name]) in PAGES


def test_what_was_assumed_is_known_and_can_be_said(archives: Archives) -> None:
    raw = "a/Ø.png".encode("cp850")
    content = zipped({"flags": 0, "c_flags": 0, "c_maker": 0x0B14}, raw=raw)
    entries, names = archives.listing(content)
    assert ([entry.name for entry in entries], names.assumed) == (["a/Ø.png"], "cp850")
    entries, names = archives.listing(content, "cp437")
    assert ([entry.name for entry in entries], names.assumed) == (["a/¥.png"], None)
    plain, names = archives.listing(zipped(raw=b"a/1.png"))
    assert ([entry.name for entry in plain], names.assumed) == (["a/1.png"], None)

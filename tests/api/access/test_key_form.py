"""Keys as text: what scanners find, what is no key at all."""

import re
import zlib

import pytest

from app.access.keys import ALPHABET, KEY_LENGTH, checksum, generate_key, is_key, key_hash, prefix_of

SCANNER = re.compile(r"sa_(live|test)_[0-9A-Za-z]{54}")


def test_a_new_key() -> None:
    key = generate_key("live")
    assert SCANNER.fullmatch(key)
    assert len(key) == KEY_LENGTH
    assert is_key(key, "live")
    assert not is_key(key, "test")
    assert prefix_of(key) == key[:20]
    assert len({generate_key("test") for _ in range(50)}) == 50


def test_the_checksum_is_crc32_in_base_62() -> None:
    body = "sa_live_" + "0" * 48
    number = 0
    for digit in checksum(body):
        number = number * 62 + ALPHABET.index(digit)
    assert number == zlib.crc32(body.encode())


@pytest.mark.parametrize(
    "change",
    [
        lambda key: key + "\n",
        lambda key: key[:-1],
        lambda key: key + "0",
        lambda key: key.replace("_", "-"),
        lambda key: key.upper(),
        lambda key: key[:-1] + ("0" if key[-1] != "0" else "1"),
        lambda key: "\N{CYRILLIC SMALL LETTER ES}" + key[1:],
        lambda key: key[:30] + "\N{ARABIC-INDIC DIGIT ONE}" + key[31:],
        lambda _: "x" * 1_000_000,
        lambda _: "",
    ],
)
def test_no_keys(change: object) -> None:
    assert not is_key(change(generate_key("live")), "live")  # type: ignore[operator]


def test_another_secret_another_hash() -> None:
    key = generate_key("live")
    assert len(key_hash(b"one", key)) == 32
    assert key_hash(b"one", key) == key_hash(b"one", key) != key_hash(b"two", key)

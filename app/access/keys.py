"""The form of an API key: ``sa_live_``, 12 characters that find it, 36 that are secret, 6 of checksum.

Secret scanners know one by the pattern ``sa_(live|test)_[0-9A-Za-z]{54}`` and, without asking anybody, by its last six
characters: the CRC-32 of what stands before them, in base 62.
"""

import hashlib
import hmac
import re
import secrets
import string
import zlib
from typing import Literal

Environment = Literal["live", "test"]

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
FINDER, SECRET, CHECKSUM = 12, 36, 6
PREFIX_LENGTH = len("sa_live_") + FINDER
KEY_LENGTH = PREFIX_LENGTH + SECRET + CHECKSUM

_FORM = re.compile(rf"sa_(?:live|test)_[0-9A-Za-z]{{{FINDER + SECRET + CHECKSUM}}}", re.ASCII)


def generate_key(environment: Environment) -> str:
    """A new key, with 214 bits that are secret."""
    body = f"sa_{environment}_" + "".join(secrets.choice(ALPHABET) for _ in range(FINDER + SECRET))
    return body + checksum(body)


def checksum(body: str) -> str:
    """Of all that stands before it."""
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(CHECKSUM):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits


def is_key(text: str, environment: Environment) -> bool:
    """Whether it could be a key of this environment."""
    if len(text) != KEY_LENGTH or not text.startswith(f"sa_{environment}_"):
        return False
    return _FORM.fullmatch(text) is not None and text[-CHECKSUM:] == checksum(text[:-CHECKSUM])


def prefix_of(key: str) -> str:
    """What finds it; may be shown."""
    return key[:PREFIX_LENGTH]


def key_hash(secret: bytes, key: str) -> bytes:
    """HMAC-SHA256: without the server's secret nobody can check a guess against a stolen table."""
    return hmac.digest(secret, key.encode(), hashlib.sha256)

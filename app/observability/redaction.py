"""The last line of defence against a secret in a log: nothing is logged on purpose that would need it."""

import re
from collections.abc import Iterable
from urllib.parse import quote, unquote

HIDDEN = "***"
MIN_SECRET_CHARACTERS = 6
"""A shorter one would blot out innocent words, and is no secret for long."""

_PATTERNS = (
    re.compile(r"(?P<keep>\bsa_(?:live|test)_[0-9A-Za-z]{12})[0-9A-Za-z]{30,}"),
    re.compile(r"(?P<keep>://)[^/\s:@]*:[^/\s]*(?=@)"),
    re.compile(
        r"""(?P<keep>(?i:authorization)['"]?\]?\s*[:=,]\s*b?['"]?(?:(?i:bearer|basic|aws4-hmac-sha256)\s+)?)[^\s'"]+"""
    ),
    re.compile(r"(?P<keep>\b(?i:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(r"(?P<keep>\b(?i:x-amz-(?:signature|credential|security-token))=)[^&\s'\"]+"),
    re.compile(r"(?P<keep>\b(?i:password|passwd|secret|token|api[_-]?key|access[_-]?key)=)[^&\s'\"]+"),
)


class Redactor:
    """Hides what it is told to hide, and what looks like a credential."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets for form in (secret, unquote(secret), quote(secret, safe=""))}
        kept = sorted((form for form in forms if len(form) >= MIN_SECRET_CHARACTERS), key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, kept))) if kept else None

    def __call__(self, text: str) -> str:
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        for pattern in _PATTERNS:
            text = pattern.sub(rf"\g<keep>{HIDDEN}", text)
        return text

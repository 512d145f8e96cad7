"""Whether a request's body is something else than the bytes that it carries."""

from starlette.datastructures import Headers

_PLAIN = {"identity", "chunked", ""}


def is_compressed(headers: Headers) -> bool:
    """By any line of ``Content-Encoding`` or ``Transfer-Encoding``: whoever reads one of several may be deceived."""
    lines = [*headers.getlist("content-encoding"), *headers.getlist("transfer-encoding")]
    return any(coding.strip().lower() not in _PLAIN for line in lines for coding in line.split(","))

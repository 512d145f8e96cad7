"""What is asked of an address that a tenant chose."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from app import __version__
from app.errors import EgressFailure

_SENDABLE = re.compile("[ -~]*")
"""What a header may have of ASCII; others have no encoding that servers agree on."""


@dataclass(frozen=True)
class Call:
    """A request. ``credentials`` are headers for the host that is named, and for no other."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    content: bytes | None = field(default=None, repr=False)


def headers_to_send(call: Call, host: bytes) -> list[tuple[bytes, bytes]]:
    """With the ``host`` that is called. Raises EgressFailure for a text that no header can hold."""
    ours = {"Host": host.decode("ascii"), "User-Agent": f"salience-audit/{__version__}"}
    length = {} if call.content is None else {"Content-Length": str(len(call.content))}
    headers = {**ours, "Accept-Encoding": "identity", **length, **call.headers, **call.credentials}
    if not all(_SENDABLE.fullmatch(value) for value in headers.values()):
        detail = "A token, or another text of the request, has characters that no header of HTTP can hold."
        raise EgressFailure("request-not-sendable", detail)
    return [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]

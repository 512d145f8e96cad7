"""Links that open one report without a key, for a browser or a colleague: signed, and good until they expire.

Nothing is stored: a link ends when its time is over, or when the server's secret changes.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.errors import Unauthenticated

LONGEST_SECONDS = 7 * 24 * 3600
_TOKEN = re.compile(r"([0-9a-f]{32})\.([0-9]{1,12})\.([A-Za-z0-9_-]{43})")


@dataclass(frozen=True)
class ReportLink:
    """What a link says: whose report, where, until when (whole seconds of the epoch)."""

    tenant_id: UUID
    path: str
    expires: int

    def token(self, secret: bytes) -> str:
        """``TENANT.EXPIRES.SIGNATURE``; the path stands in the address already."""
        return f"{self.tenant_id.hex}.{self.expires}.{self._signature(secret)}"

    def _signature(self, secret: bytes) -> str:
        said = f"report-link\n{self.tenant_id.hex}\n{self.path}\n{self.expires}"
        return urlsafe_b64encode(hmac.digest(secret, said.encode(), hashlib.sha256)).decode().rstrip("=")


def tenant_of(path: str, token: str, secret: bytes, now: datetime) -> UUID:
    """Whose report a link opens. Raises Unauthenticated, as for a key that is not good."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise Unauthenticated
    link = ReportLink(UUID(found[1]), path, int(found[2]))
    if not hmac.compare_digest(link.token(secret), token) or now.timestamp() >= link.expires:
        raise Unauthenticated
    return link.tenant_id

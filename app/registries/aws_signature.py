"""AWS Signature Version 4 of a request without a body, as S3 and what speaks like it check it.

Not by botocore, which brings a hundred services and opens sockets of its own; its signer is what the tests hold this
against.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

EMPTY = hashlib.sha256(b"").hexdigest()
ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True)
class AwsKey:
    """A pair of keys, for one region."""

    key_id: str
    secret: str = field(repr=False)
    region: str

    def headers(self, method: str, url: str, now: datetime) -> dict[str, str]:
        """That sign it. Path and query must be percent-encoded, the query in its names' order; ``now`` in UTC."""
        time = now.strftime("%Y%m%dT%H%M%SZ")
        named = {"host": urlsplit(url).netloc, "x-amz-content-sha256": EMPTY, "x-amz-date": time}
        scope = f"{time[:8]}/{self.region}/s3/aws4_request"
        names = ";".join(named)
        asked = hashlib.sha256(_canonical(method, url, named, names).encode()).hexdigest()
        signature = hmac.digest(self._key(time[:8]), f"{ALGORITHM}\n{time}\n{scope}\n{asked}".encode(), "sha256").hex()
        proof = f"{ALGORITHM} Credential={self.key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
        return {"X-Amz-Content-Sha256": EMPTY, "X-Amz-Date": time, "Authorization": proof}

    def _key(self, day: str) -> bytes:
        key = f"AWS4{self.secret}".encode()
        for part in (day, self.region, "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        return key


def _canonical(method: str, url: str, named: Mapping[str, str], names: str) -> str:
    place = urlsplit(url)
    lines = [f"{name}:{value}" for name, value in named.items()]
    return "\n".join([method, place.path, place.query, *lines, "", names, EMPTY])

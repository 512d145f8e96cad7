"""What every test of egress calls with: where it may call, and how long it waits."""

from app.egress.client import Limits

OPEN, CLOSED = "127.0.0.1", "127.0.0.2"
"""Both are loopback; the operator allows the first, which stands for a public host."""
QUICK = Limits(pause_seconds=0.6, call_seconds=0.8, fetch_seconds=0.8)
MOST = 1_000_000


NAMES = {
    "open.test": [OPEN],
    "closed.test": [CLOSED],
    "both.test": [OPEN, CLOSED],
    "mapped.test": ["::ffff:127.0.0.1"],
    "nat64.test": ["64:ff9b::7f00:1"],
    "private.test": ["10.1.2.3"],
    "metadata.test": ["169.254.169.254"],
    "zero.test": ["0.0.0.0"],
    "six.test": ["::1"],
    "scoped.test": ["fe80::1%1"],
    "none.test": [],
}


def resolve(host: str, port: int) -> list[str]:
    if host not in NAMES:
        raise OSError(f"no such host as {host}:{port}")
    return NAMES[host]

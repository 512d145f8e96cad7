"""How a caller stands with the rate limits, as draft-ietf-httpapi-ratelimit-headers-10 tells it."""

from collections.abc import Sequence
from math import ceil

from app.access.rate_limits import Standing
from app.errors import RateLimited

Header = tuple[bytes, bytes]


def rate_headers(standings: Sequence[Standing]) -> list[Header]:
    """``RateLimit-Policy: "key";q=QUOTA;w=SECONDS`` and ``RateLimit: "key";r=REMAINING;t=SECONDS_TO_THE_END``."""
    if not standings:
        return []
    policies = [f'"{one.policy}";q={one.limit};w={one.window_seconds}' for one in standings]
    rests = [f'"{one.policy}";r={one.remaining};t={ceil(one.seconds_left)}' for one in standings]
    return [(b"ratelimit-policy", ", ".join(policies).encode()), (b"ratelimit", ", ".join(rests).encode())]


def check_rate(standings: Sequence[Standing]) -> None:
    """Raises RateLimited until the last exceeded window ends."""
    waits = [one.seconds_left for one in standings if one.is_exceeded]
    if waits:
        raise RateLimited(max(ceil(max(waits)), 1))

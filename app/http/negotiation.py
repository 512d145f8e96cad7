"""Which form of an answer a client asks for by ``Accept`` (RFC 9110, 12.5.1). JSON is what everybody gets else."""

from collections.abc import Sequence
from urllib.request import parse_http_list

from starlette.requests import Request

_JSON = "application/json"


def chosen_form(request: Request, offers: Sequence[str]) -> str | None:
    """The one of these media types, lower case, that the client likes best and better than JSON; None for JSON.

    What it names goes before what a wildcard lets pass with the same quality.
    """
    ranges = named_ranges(request)
    best = max(offers, key=lambda offer: _liking(offer, ranges))
    return best if _liking(best, ranges) > _liking(_JSON, ranges) else None


def named_ranges(request: Request) -> dict[str, float]:
    """Every media range of the request, lower case, and its quality; a range that is not well-formed is no range."""
    found: dict[str, float] = {}
    for part in parse_http_list(",".join(request.headers.getlist("accept"))):
        kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = _q_of(parameters)
        if quality is not None:
            found[kind] = max(quality, found.get(kind, 0.0))
    return found


def _q_of(parameters: Sequence[str]) -> float | None:
    """1 where none says otherwise, None where it is no number from 0 to 1; other parameters change nothing here."""
    text = next((one.partition("=")[2].strip() for one in parameters if one.partition("=")[0].strip() == "q"), "1")
    try:
        quality = float(text)
    except ValueError:
        return None
    return quality if 0 <= quality <= 1 else None


def _liking(kind: str, ranges: dict[str, float]) -> tuple[float, int]:
    """Quality and specificity. The most specific range decides: ``text/csv;q=0, */*`` takes anything but CSV."""
    wider = ("*/*", f"{kind.partition('/')[0]}/*", kind)
    found = [place for place, one in enumerate(wider) if one in ranges]
    quality = ranges[wider[found[-1]]] if found else 0.0
    return (quality, found[-1]) if quality else (0.0, 0)

"""The times of a schedule: five fields of cron, in UTC."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

from cronsim import CronSim, CronSimError

SHORTEST = timedelta(hours=1)
LOOKED_AT = 50
"""Times, in which a schedule shows how close they come."""


def next_time(cron: str, after: datetime) -> datetime:
    """The first one that comes."""
    return next(CronSim(cron, after.astimezone(UTC)))


def check_cron(text: str) -> str:
    """Raises ValueError for what is none, never comes, or comes more often than once an hour."""
    try:
        times = list(islice(CronSim(text, datetime.now(UTC)), LOOKED_AT)) if len(text.split()) == 5 else []
    except CronSimError:
        times = []
    if not times:
        raise ValueError("a schedule has five fields of cron (minute hour day month weekday) that some day meets")
    if any(later - sooner < SHORTEST for sooner, later in pairwise(times)):
        raise ValueError("a schedule comes once an hour at most")
    return text

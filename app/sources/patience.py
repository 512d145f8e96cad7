"""How long work waits for a source that is away, and what it says when it waits no longer."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from app.db.session import clock
from app.db.tables.base import AwaitsSource
from app.errors import InputFailure, TransientFailure
from app.settings import Settings
from app.sources.reach import UNAVAILABLE, Reach

FEWEST_TRIES = 3
"""However long ago the first was: a queue may have been long."""
LONGEST_PAUSE_SECONDS = 300.0


def note_try(
    session: Session, work: AwaitsSource, dataset_id: UUID, failure: Exception, settings: Settings
) -> InputFailure | None:
    """Counts a try that ended so; what ends the work, once the source was away for as long as anybody waits.

    Of any other failure than a source's nothing is counted, and nobody knows an end.
    """
    if not isinstance(failure, TransientFailure) or failure.code != UNAVAILABLE:
        return None
    now = clock(session)
    work.source_away_since = work.source_away_since or now
    work.source_tries += 1
    is_over = now - work.source_away_since >= timedelta(seconds=settings.source_wait_seconds)
    if not is_over or work.source_tries < FEWEST_TRIES:
        return None
    since = f"{work.source_away_since:%Y-%m-%dT%H:%M:%SZ}"
    source = Reach.of(session, dataset_id).words()
    tried = f"The source {source} does not answer since {since}: {work.source_tries} tries, each of several calls."
    return InputFailure(UNAVAILABLE, f"{tried} The last: {failure.detail} {_way_out(settings)}")


def pause_seconds(work: AwaitsSource) -> float:
    """Until the next try: twice as long after each, so that a short outage costs little and a long one no worker."""
    return min(2.0 ** min(work.source_tries, 10), LONGEST_PAUSE_SECONDS)


def _way_out(settings: Settings) -> str:
    waited = f"{settings.source_wait_seconds:g} s are waited for (SOURCE_WAIT_SECONDS)."
    return f"{waited} Bring it back, which the connection's test shows, and ask again; or upload a copy."

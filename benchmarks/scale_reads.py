"""What a reduce costs that has read many samples: it holds them all at once."""

import multiprocessing
import resource
import time
from typing import Any
from uuid import UUID

from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from app.results.score_tables import read_scores
from benchmarks.scale_report import Reduce
from benchmarks.scale_world import World

KIBIBYTE = 1024


def measure_reduce(servers: World) -> Reduce:
    """The largest of the rounds' audits, read as the reducer reads it, in a process of its own."""
    query = "SELECT audit_id FROM sample_scores GROUP BY audit_id ORDER BY count(*) DESC LIMIT 1"
    with servers.engine.connect() as connection:
        audit_id = connection.scalar(text(query))
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    process = context.Process(target=_read, args=(servers.database_url, audit_id, answers))
    process.start()
    found: Reduce = answers.get(timeout=300)
    process.join()
    return found


def _read(database_url: str, audit_id: UUID, answers: Any) -> None:
    engine = create_engine(database_url)
    with Session(engine) as session:
        session.execute(text("SELECT 1"))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.monotonic()
        samples = len(read_scores(session, audit_id, 0).labels)
        seconds = time.monotonic() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answers.put(Reduce(samples, seconds, (peak - before) * KIBIBYTE / samples))
    engine.dispose()

"""How long the whole of a rescore takes, by every similarity: from stored rows to summaries with intervals.

    python -m benchmarks.rescoring --samples 100000

One model with every measure of the paper that needs one; a thousand rows are random and all others repeat them, each
stored anew.
"""

import argparse
import time
from uuid import UUID

from sqlalchemy.orm import Session

from app.domain.maps.similarities import SIMILARITIES, Similarity
from app.domain.protocol import ProtocolRequest
from benchmarks.machine import describe
from benchmarks.reduce import CELLS, fill
from benchmarks.scale_world import World, start_audit, world
from benchmarks.table import Row, Section, at_most
from worker.machine.device import use_threads
from worker.results.rescored_document import rescored_document
from worker.shards.store import read_inputs

MOST_SECONDS = 20


def rescoring(samples: int) -> Section:
    """Of an audit of one model."""
    protocol = ProtocolRequest().resolve().without("stability")
    with world(samples) as servers:
        audit_id = start_audit(servers, 1, samples, protocol)
        fill(servers, audit_id, protocol)
        rows = [_row(servers, audit_id, one) for one, spec in SIMILARITIES.items() if not spec.of_fixations]
    return Section(
        f"Rescoring of {samples:,} samples",
        f"One model, maps of {CELLS} x {CELLS} cells: views of noise reaction and degradation against the clean map. "
        "Seconds, database and intervals included; beside them the processor time of the rescore and of Postgres.",
        rows,
    )


def _row(servers: World, audit_id: UUID, similarity: Similarity) -> Row:
    began, worked, served = time.monotonic(), time.process_time(), servers.postgres_seconds()
    with Session(servers.engine) as session:
        found = rescored_document(session, read_inputs(session, audit_id), similarity)
    views = len({(row["measure"], row["view"]) for row in found["summaries"]})
    seconds = time.monotonic() - began
    worked, served = time.process_time() - worked, servers.postgres_seconds() - served
    note = f"{worked:.1f} + {served:.1f} of a processor"
    return Row(f"{similarity}, {views} views", **at_most(seconds, MOST_SECONDS, 1), note=note)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--samples", type=int, default=100_000)
    use_threads(0)
    print(f"Measured on {describe()}\n")
    print(rescoring(**vars(options.parse_args())).to_markdown())

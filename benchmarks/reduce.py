"""How long a large audit's reduce takes: from stored rows to results with where maps lie, clusters and findings.

    python -m benchmarks.reduce --samples 100000

Every measure of the preset ``investigate``; a thousand rows are random and all others repeat them, each stored anew.
"""

import argparse
import cProfile
import pstats
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import numpy as np
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from app.db.session import transaction
from app.db.tables import SampleRow, SampleScoresRow
from app.domain.measures import MEASURES
from app.domain.protocol import Protocol, ProtocolRequest
from app.domain.vocabulary import CLEAN
from app.results.document import results_document
from app.settings import Settings
from app.storage.blobs import BlobStore
from benchmarks.machine import describe
from benchmarks.scale_world import World, start_audit, world
from benchmarks.table import Row, Section, at_most
from worker.machine.device import use_threads
from worker.results.map_sections import map_sections
from worker.shards.store import read_inputs

CELLS = 7
DISTINCT = 1_000
MOST_SECONDS = 60
_LABELS = """
UPDATE samples SET label = CASE position % 2 WHEN 0 THEN 'a' ELSE 'b' END, source = 's' || position % 3,
split = CASE position % 5 WHEN 0 THEN 'test' ELSE 'train' END
"""
_REPEAT = """
INSERT INTO sample_scores (tenant_id, audit_id, model_ordinal, ordinal, sample_id, scores, controls, predicted,
  class_scores, maps, map_height, map_width)
SELECT one.tenant_id, one.audit_id, one.model_ordinal, sample.position, sample.id, one.scores, one.controls,
  one.predicted, one.class_scores, one.maps, one.map_height, one.map_width
FROM samples sample JOIN sample_scores one ON one.ordinal = sample.position % :distinct AND one.audit_id = :audit
WHERE sample.position >= :distinct
"""


def reduce(samples: int, *, profiled: bool = False) -> Section:
    """Of an audit of one model."""
    protocol = ProtocolRequest(preset="investigate").resolve()
    for spec in MEASURES.values():
        protocol = protocol.without(spec.name) if spec.is_pairing else protocol
    with world(samples) as servers:
        audit_id = start_audit(servers, 1, samples, protocol)
        fill(servers, audit_id, protocol)
        with Session(servers.engine) as session, _profile(shown=profiled):
            began, worked, served = time.monotonic(), time.process_time(), servers.postgres_seconds()
            inputs = read_inputs(session, audit_id)
            sections = map_sections(session, BlobStore.from_settings(Settings()), inputs)
            of_maps = time.monotonic() - began
            document = results_document(session, inputs, None, sections)
            seconds, worked = time.monotonic() - began, time.process_time() - worked
            served = servers.postgres_seconds() - served
    return Section(
        f"Reduce of {samples:,} samples",
        f"One model, the preset `investigate`: {len(protocol.conditions())} views, {len(document['summaries']):,} "
        f"summaries, maps of {CELLS} x {CELLS} cells. Seconds, database included.",
        [
            Row("what stored maps tell", f"{of_maps:.1f}"),
            Row("summaries, intervals, performance, findings", f"{seconds - of_maps:.1f}"),
            Row("all", **at_most(seconds, MOST_SECONDS, 1)),
            Row("processor time of the reduce / of Postgres", f"{worked:.1f} / {served:.1f}"),
        ],
    )


@contextmanager
def _profile(*, shown: bool) -> Iterator[None]:
    if not shown:
        yield
        return
    with cProfile.Profile(time.process_time) as profile:
        yield
    pstats.Stats(profile).sort_stats("cumulative").print_stats(45)


def fill(servers: World, audit_id: UUID, protocol: Protocol) -> None:
    """Random rows for the first samples, the same again for the others."""
    with transaction(servers.engine) as session:
        session.execute(text(_LABELS))
        first = select(SampleRow.id).where(SampleRow.position < DISTINCT).order_by(SampleRow.position)
        found = session.scalars(first).all()
        rows = _rows(protocol, len(found))
        common = {"audit_id": audit_id, "model_ordinal": 0, "map_height": CELLS, "map_width": CELLS}
        numbered = enumerate(zip(found, rows, strict=True))
        session.execute(
            insert(SampleScoresRow), [common | {"ordinal": n, "sample_id": one} | row for n, (one, row) in numbered]
        )
        session.execute(text(_REPEAT), {"audit": audit_id, "distinct": DISTINCT})
    with servers.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))


def _rows(protocol: Protocol, count: int) -> Iterator[dict[str, object]]:
    generator = np.random.default_rng(0)
    columns, conditions = protocol.columns(), (CLEAN, *protocol.conditions())
    for _ in range(count):
        controls = [generator.random() if column.has_control else None for column in columns]
        yield {
            "scores": generator.random(len(columns)).tolist(),
            "controls": controls,
            "predicted": generator.integers(0, 2, len(conditions)).tolist(),
            "class_scores": generator.random(len(conditions)).tolist(),
            "maps": generator.random((len(conditions), CELLS, CELLS), dtype=np.float32).tobytes(),
        }


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--samples", type=int, default=100_000)
    options.add_argument("--profile", action="store_true", dest="profiled")
    use_threads(0)
    print(f"Measured on {describe()}\n")
    print(reduce(**vars(options.parse_args())).to_markdown())

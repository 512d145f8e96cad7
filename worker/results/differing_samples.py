"""The samples whose scores differ most, by name."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.tables import AuditRow, SampleRow, SampleScoresRow
from app.domain.comparisons.farthest import FarSample, FarSamples
from app.domain.results.comparisons import DifferingSample, DifferingSamples


def named_samples(session: Session, audit: AuditRow, tables: Sequence[FarSamples]) -> list[DifferingSamples]:
    """Ordinals become samples."""
    ordinals = {sample["ordinal"] for table in tables for sample in table["samples"]}
    query = (
        select(SampleScoresRow.ordinal, SampleRow.id, SampleRow.name, SampleRow.label, SampleRow.source)
        .join(SampleRow, SampleRow.id == SampleScoresRow.sample_id)
        .where(
            SampleScoresRow.audit_id == audit.id,
            SampleScoresRow.model_ordinal == 0,
            SampleScoresRow.ordinal.in_(ordinals),
        )
    )
    found = {row.ordinal: row for row in session.execute(query)}

    def named(sample: FarSample) -> DifferingSample:
        row = found[sample["ordinal"]]
        return {
            "sample": row.name,
            "sample_id": str(row.id),
            "label": row.label,
            "source": row.source,
            "score_first": sample["score_first"],
            "score_second": sample["score_second"],
            "difference": sample["difference"],
        }

    return [
        {
            "first": table["first"],
            "second": table["second"],
            "measure": table["measure"],
            "view": table["view"],
            "samples": [named(sample) for sample in table["samples"]],
        }
        for table in tables
    ]

"""Which scores of an audit are undefined, and why."""

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from app.db.tables import AuditRow, SampleRow, SampleScoresRow
from app.domain.protocol import Protocol
from app.domain.vocabulary import ACROSS_MODELS
from app.reports.job import Undefined

MOST_NAMED = 5


def undefined_of(session: Session, audit: AuditRow, owners: dict[int, str]) -> list[Undefined]:
    """By model, column and reason: how many samples, and the first few of them.

    ``owners`` names the model ordinals, the row across models among them.
    """
    row = SampleScoresRow
    reasons = func.unnest(row.undefined).table_valued("reason", with_ordinality="place").render_derived()
    first = func.array_agg(aggregate_order_by(row.sample_id, row.ordinal))[1:MOST_NAMED]
    query = (
        select(row.model_ordinal, reasons.c.place, reasons.c.reason, func.count(), first)
        .join(reasons, reasons.c.reason.is_not(None))
        .where(row.audit_id == audit.id, row.undefined.is_not(None))
        .group_by(row.model_ordinal, reasons.c.place, reasons.c.reason)
        .order_by(row.model_ordinal, reasons.c.place, reasons.c.reason)
    )
    found = session.execute(query).all()
    names = _names(session, {sample_id for *_, ids in found for sample_id in ids})
    protocol = Protocol.model_validate(audit.protocol)
    columns, across = protocol.columns(), protocol.pairing_columns()
    return [
        Undefined(
            model=owners[ordinal],
            measure=(across if ordinal == ACROSS_MODELS else columns)[place - 1].measure,
            view=(across if ordinal == ACROSS_MODELS else columns)[place - 1].view,
            reason=reason,
            count=count,
            samples=[names[sample_id] for sample_id in ids],
        )
        for ordinal, place, reason, count, ids in found
        if ordinal in owners
    ]


def _names(session: Session, ids: set[object]) -> dict[object, str]:
    query = select(SampleRow.id, SampleRow.name).where(SampleRow.id.in_(ids))
    return dict(session.execute(query).all())

"""Checks that an audit's maps can be compared again, and writes the rescoring; never commits.

A worker computes it: the maps of a large audit are gigabytes, which belong neither in a request nor beside the API's
event loop.
"""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.audits.repository import models_of
from app.audits.states import check_finished, check_kept
from app.db.identifiers import new_id
from app.db.tables import AuditRow, RescoreRow, SampleScoresRow, map_cells
from app.domain.cam_methods import CAM_METHODS
from app.domain.protocol import Protocol
from app.domain.rescoring import comparable_pairings, comparable_views
from app.domain.similarities import SIMILARITIES, Similarity
from app.domain.vocabulary import ComparisonStatus
from app.errors import Conflict, NotFound, Unprocessable
from app.results.inputs import audited_subjects


def find_rescore(session: Session, audit: AuditRow, similarity: Similarity) -> RescoreRow | None:
    """None as well where it failed, so that it can be asked for again."""
    row = _stored(session, audit, similarity)
    if row is None or row.status != ComparisonStatus.FAILED:
        return row
    session.delete(row)
    session.flush()
    return None


def _stored(session: Session, audit: AuditRow, similarity: Similarity) -> RescoreRow | None:
    query = select(RescoreRow).where(RescoreRow.audit_id == audit.id, RescoreRow.similarity == similarity)
    return session.scalar(query)


def get_rescore(session: Session, audit: AuditRow, similarity: Similarity) -> RescoreRow:
    """Raises NotFound."""
    row = _stored(session, audit, similarity)
    if row is None:
        raise NotFound("rescoring")
    return row


def request_rescore(session: Session, audit: AuditRow, similarity: Similarity) -> RescoreRow:
    """``audit`` is locked, so that each similarity is there once.

    Raises Conflict where it has not succeeded; Gone where its maps were removed as old; Unprocessable
    ``nothing-to-rescore``, ``maps-not-native``, ``maps-too-small``, ``maps-too-large``.
    """
    check_finished(audit)
    check_kept(audit, maps=True)
    subjects = audited_subjects(Protocol.model_validate(audit.protocol), models_of(session, audit.id))
    if not subjects:
        raise Unprocessable("nothing-to-rescore", "Maps of models are compared again, and this audit has none.")
    _check_comparisons(Protocol.model_validate(audit.protocol))
    _check_maps(session, audit, similarity, len(subjects))
    row = RescoreRow(id=new_id(), audit_id=audit.id, similarity=similarity, status=ComparisonStatus.QUEUED, attempt=0)
    session.add(row)
    session.flush()
    session.refresh(row)
    return row


def _check_comparisons(protocol: Protocol) -> None:
    large = [method for method in protocol.salience.all_methods if CAM_METHODS[method].at_input_resolution]
    if large:
        detail = f"Maps of {large[0]} are as large as the image: there are no native ones to compare."
        raise Unprocessable("maps-not-native", detail)
    if not comparable_views(protocol) and not comparable_pairings(protocol):
        detail = "None of the audit's measures compares native maps; noise_reaction, degradation and stability do."
        raise Unprocessable("nothing-to-rescore", detail)


def _check_maps(session: Session, audit: AuditRow, similarity: Similarity, subjects: int) -> None:
    """As the first sample's maps are, so are all of a model's; models are the first ``subjects``."""
    row, spec = SampleScoresRow, SIMILARITIES[similarity]
    sides = func.min(func.least(row.map_height, row.map_width)), func.max(map_cells())
    query = select(*sides).where(row.audit_id == audit.id, row.ordinal == 0, row.maps.is_not(None))
    query = query.where(row.model_ordinal < subjects)
    shortest, most = session.execute(query).one()
    if shortest is None:
        raise Conflict("maps-not-kept", "The audit kept no maps.")
    if shortest < spec.fewest_rows:
        detail = f"{spec.title} needs maps of {spec.fewest_rows} cells a side; these have {shortest}."
        raise Unprocessable("maps-too-small", detail)
    if spec.most_cells is not None and most > spec.most_cells:
        detail = f"{spec.title} takes maps of up to {spec.most_cells} cells; these have {most}. Ask for another one."
        raise Unprocessable("maps-too-large", detail)

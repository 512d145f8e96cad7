"""Checks that an audit's maps can be compared again, and writes the rescoring; never commits.

A worker computes it: the maps of a large audit are gigabytes, which belong neither in a request nor beside the API's
event loop.
"""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.audits.scores.subjects import all_subjects_in
from app.audits.states import check_finished, check_kept
from app.db.identifiers import new_id
from app.db.tables import AuditRow, RescoreRow, SampleScoresRow
from app.domain.audits.rescoring import comparable_pairings, comparable_views
from app.domain.maps.similarities import SIMILARITIES, Similarity
from app.domain.problems import audits
from app.domain.protocol import Protocol
from app.domain.vocabulary import OwedStatus
from app.errors import NotFound
from app.results.comparable import AnySubject, Comparable, comparable


def find_rescore(session: Session, audit: AuditRow, similarity: Similarity) -> RescoreRow | None:
    """None as well where it failed, so that it can be asked for again."""
    row = _stored(session, audit, similarity)
    if row is None or row.status != OwedStatus.FAILED:
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
    ``nothing-to-rescore``, ``maps-not-native``, ``maps-too-small``.
    """
    check_finished(audit)
    check_kept(audit, maps=True)
    found = _comparisons(audit, all_subjects_in(session, audit))
    _check_maps(session, audit, similarity, found.subjects)
    row = RescoreRow(id=new_id(), audit_id=audit.id, similarity=similarity, status=OwedStatus.QUEUED, attempt=0)
    session.add(row)
    session.flush()
    session.refresh(row)
    return row


def _comparisons(audit: AuditRow, subjects: Sequence[AnySubject]) -> Comparable:
    protocol = Protocol.model_validate(audit.protocol)
    found = comparable(protocol, subjects)
    if found.subjects:
        return found
    if found.left_out and (comparable_views(protocol) or comparable_pairings(protocol)):
        method = protocol.salience.method
        raise audits.MAPS_NOT_NATIVE.error(method=method)
    raise audits.NOTHING_TO_RESCORE.error()


def _check_maps(session: Session, audit: AuditRow, similarity: Similarity, subjects: Sequence[int]) -> None:
    """Where no map at all has the cells that the similarity needs. Larger ones are brought down."""
    row, spec = SampleScoresRow, SIMILARITIES[similarity]
    query = select(func.max(func.least(row.map_height, row.map_width))).where(row.audit_id == audit.id)
    longest = session.scalar(query.where(row.maps.is_not(None), row.model_ordinal.in_(subjects)))
    if longest is None:
        raise audits.MAPS_NOT_KEPT.error()
    if longest < spec.fewest_rows:
        raise audits.MAPS_TOO_SMALL.error(similarity=spec.title, least=spec.fewest_rows, longest=longest)

"""What is asked of the renderer; and reports for threads, since the renderer is the event loop's."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app.db.session import TenantEngine, transaction
from app.db.tables import AuditRow, ComparisonRow, DatasetRow
from app.http.outward import WAIT_SECONDS as OUTWARD_SECONDS
from app.reports.gathering import Gatherer
from app.reports.job import ReportJob
from app.reports.renderer import TIMEOUT_SECONDS, WAIT_SECONDS, Renderer, ReportRequest
from app.settings import Settings
from app.sources.addresses import listed_dataset
from app.sources.contents import Contents
from app.sources.reading import Patience
from app.storage.blobs import BlobStore

PICTURE_SECONDS = 40.0
"""That a report waits for pictures that lie elsewhere; it goes without those that are not there by then."""


@dataclass(frozen=True)
class ReportMaker:
    """Asks for reports, each gathered in a session of the tenant's own, which is no transaction while a source is
    waited for."""

    tenant: TenantEngine
    contents: Contents
    settings: Settings

    def audit(self, audit_id: UUID) -> ReportRequest:
        """Of one audit."""
        return self._request(lambda gatherer: gatherer.audit(audit_id), lambda _: [audit_id])

    def comparison(self, comparison_id: UUID) -> ReportRequest:
        """Of several."""

        def audits(session: Session) -> Sequence[UUID]:
            row = session.get(ComparisonRow, comparison_id)
            return [] if row is None else row.audit_ids

        return self._request(lambda gatherer: gatherer.comparison(comparison_id), audits)

    def _request(
        self, of: Callable[[Gatherer], ReportJob], audits: Callable[[Session], Sequence[UUID]]
    ) -> ReportRequest:
        def gather(with_pictures: bool) -> ReportJob:  # noqa: FBT001 - of ReportRequest
            with self.tenant.session() as session:
                contents = replace(self.contents, patience=Patience(PICTURE_SECONDS), let_go=session.commit)
                with contents.kept() as kept:
                    return of(Gatherer(session, kept, self.settings, with_pictures))

        def calls_out() -> bool:
            with transaction(self.tenant) as session:
                return _are_listed(session, audits(session))

        return ReportRequest(self.tenant.tenant_id, gather, calls_out)


def _are_listed(session: Session, audit_ids: Sequence[UUID]) -> bool:
    """Whether any of them is of a data set that stays where it is."""
    digests = select(DatasetRow.stored_digest).join(AuditRow, AuditRow.dataset_id == DatasetRow.id)
    return any(listed_dataset(digest or "") for digest in session.scalars(digests.where(AuditRow.id.in_(audit_ids))))


@dataclass(frozen=True)
class ReportDrawer:
    """Of audits, as ``GET /v1/audits/{id}/report`` answers them."""

    renderer: Renderer
    engine: Engine
    blobs: BlobStore
    settings: Settings
    loop: asyncio.AbstractEventLoop

    def draw(self, tenant_id: UUID, audit_id: UUID) -> bytes:
        """The page. Raises NotFound, Unavailable, TimeoutError while the process ends."""
        tenant = TenantEngine(self.engine, tenant_id)
        contents = Contents(tenant, self.blobs, self.settings)
        page = self.renderer.page(ReportMaker(tenant, contents, self.settings).audit(audit_id))
        drawn = asyncio.run_coroutine_threadsafe(page, self.loop)
        try:
            return drawn.result(OUTWARD_SECONDS + 2 * PICTURE_SECONDS + WAIT_SECONDS + TIMEOUT_SECONDS + 5)
        finally:
            drawn.cancel()  # what is done stays so; what was not in time gives its place free

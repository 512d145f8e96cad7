"""What is asked of the renderer; and reports for threads, since the renderer is the event loop's."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Engine

from app.db.session import TenantEngine
from app.reports.gathering import Gatherer
from app.reports.job import ReportJob
from app.reports.renderer import TIMEOUT_SECONDS, WAIT_SECONDS, Renderer, ReportRequest
from app.settings import Settings
from app.sources.reading import Contents
from app.storage.blobs import BlobStore


def report_request(
    tenant: TenantEngine, contents: Contents, settings: Settings, of: Callable[[Gatherer], ReportJob]
) -> ReportRequest:
    """Whatever ``of`` gathers, in a session of the tenant's own."""

    def gather(with_pictures: bool) -> ReportJob:  # noqa: FBT001 - of ReportRequest
        with tenant.session() as session, contents.kept() as kept:
            return of(Gatherer(session, kept, settings, with_pictures))

    return ReportRequest(tenant.tenant_id, gather)


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
        page = self.renderer.page(report_request(tenant, contents, self.settings, lambda one: one.audit(audit_id)))
        drawn = asyncio.run_coroutine_threadsafe(page, self.loop)
        try:
            return drawn.result(WAIT_SECONDS + TIMEOUT_SECONDS + 5)
        finally:
            drawn.cancel()  # what is done stays so; what was not in time gives its place free

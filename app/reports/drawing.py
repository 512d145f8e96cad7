"""Reports for threads: the renderer is the event loop's."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Engine

from app.db.session import TenantEngine
from app.reports.gathering import Gatherer
from app.reports.job import ReportJob
from app.reports.renderer import TIMEOUT_SECONDS, WAIT_SECONDS, Renderer, ReportRequest
from app.settings import Settings
from app.storage.blobs import BlobStore


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

        def gather(with_pictures: bool) -> ReportJob:  # noqa: FBT001 - of app.reports.renderer.ReportRequest
            with TenantEngine(self.engine, tenant_id).session() as session:
                return Gatherer(session, self.blobs, self.settings, with_pictures).audit(audit_id)

        page = self.renderer.page(ReportRequest(tenant_id, gather))
        return asyncio.run_coroutine_threadsafe(page, self.loop).result(WAIT_SECONDS + TIMEOUT_SECONDS + 5)

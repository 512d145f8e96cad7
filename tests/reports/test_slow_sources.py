"""Reports whose pictures lie with somebody slow: they keep their own tenants waiting, and no other report."""

import asyncio
import threading
from uuid import UUID, uuid4

import pytest

from app.errors import NotFound
from app.http.outward import Outward
from app.reports.job import ReportJob
from app.reports.renderer import AT_ONCE, Renderer, ReportRequest
from tests.waiting import until


def test_other_reports_go_on() -> None:
    """More of them than reports are drawn at once, all of which hang; what is gathered here has its turn."""
    here, tenants, begun = threading.Event(), [uuid4() for _ in range(AT_ONCE + 1)], list[UUID]()

    def hanging(tenant_id: UUID) -> ReportRequest:
        def gather(_: bool) -> ReportJob:  # noqa: FBT001 - of ReportRequest
            begun.append(tenant_id)
            here.wait(30)
            raise NotFound("audit")

        return ReportRequest(tenant_id, gather, lambda: True)

    def gathered(_: bool) -> ReportJob:  # noqa: FBT001 - of ReportRequest
        raise NotFound("audit that is asked for at once")

    async def ask() -> None:
        renderer = Renderer(Outward())
        waiting = [asyncio.create_task(renderer.page(hanging(tenant))) for tenant in tenants]
        await asyncio.to_thread(until, lambda: len(begun) == len(tenants))
        async with asyncio.timeout(10):
            with pytest.raises(NotFound, match="at once"):
                await renderer.page(ReportRequest(uuid4(), gathered, lambda: False))
            # A figure alone needs no pictures, wherever they lie.
            with pytest.raises(NotFound, match="at once"):
                await renderer.figure(ReportRequest(tenants[0], gathered, lambda: True), "radar", "svg")
        here.set()
        assert {type(one) for one in await asyncio.gather(*waiting, return_exceptions=True)} == {NotFound}

    asyncio.run(ask())

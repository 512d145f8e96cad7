"""Draws reports in a process of its own, a few at a time; nothing of it is left when the answer is sent."""

import asyncio
import logging
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from anyio import to_thread

from app.child_environment import child_environment
from app.domain.problems import service
from app.errors import NotFound
from app.http.concurrency import ConcurrencyLimit
from app.http.outward import Outward
from app.reports.job import ReportJob

logger = logging.getLogger(__name__)

AT_ONCE = 3
AT_ONCE_OF_A_TENANT = 2
UNKNOWN_FIGURE = 3
"""The status of a process that was asked for a figure that the report has not got; it says which there are."""
TIMEOUT_SECONDS = 120.0
WAIT_SECONDS = 60.0
PAGE = ("page",)


@dataclass(frozen=True)
class ReportRequest:
    """A report that is wanted: whose, and what gathers its job from the database, with its pictures or without."""

    tenant_id: UUID
    gather: Callable[[bool], ReportJob]
    calls_out: Callable[[], bool]
    """Whether its pictures lie where somebody else may keep us waiting."""


class Renderer:
    """One for each API process."""

    def __init__(self, outward: Outward) -> None:
        self._outward = outward
        self._limit = ConcurrencyLimit(AT_ONCE, AT_ONCE_OF_A_TENANT)

    async def page(self, wanted: ReportRequest) -> bytes:
        """The report as HTML. Raises Unavailable where it takes too long or too many wait."""
        return await self._render(wanted, *PAGE)

    async def figure(self, wanted: ReportRequest, name: str, form: str) -> bytes:
        """One figure alone, ``svg`` or ``png``. Raises NotFound, or Unavailable as above."""
        return await self._render(wanted, form, name)

    async def _render(self, wanted: ReportRequest, *arguments: str) -> bytes:
        """Gathers within the limit, too: those who wait for a slot hold no connection. Only what comes from elsewhere
        is gathered before, within the limit of such calls: no slow source keeps others' reports waiting."""
        gather = partial(_gathered, wanted, arguments == PAGE)
        job: bytes | None = None
        if arguments == PAGE and await to_thread.run_sync(wanted.calls_out):
            job = await self._outward.call(wanted.tenant_id, gather)
        try:
            async with self._limit.slot(wanted.tenant_id, WAIT_SECONDS):
                job = await to_thread.run_sync(gather) if job is None else job
                return await _run(job, *arguments)
        except TimeoutError as error:
            raise service.OVERLOADED.error(what="reports") from error


def _gathered(wanted: ReportRequest, with_pictures: bool) -> bytes:  # noqa: FBT001 - run_sync names no arguments
    return wanted.gather(with_pictures).model_dump_json().encode()


async def _run(job: bytes, *arguments: str) -> bytes:
    command = (sys.executable, "-m", "app.reports.draw", *arguments)
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=child_environment()
    )
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            made, complaints = await process.communicate(job)
    except TimeoutError as error:
        raise service.REPORT_TOO_SLOW.error() from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == UNKNOWN_FIGURE:
        raise NotFound(f"figure; this report has {made.decode()}")
    if process.returncode != 0:
        logger.error("drawing a report failed with status %s: %s", process.returncode, complaints.decode()[-2000:])
        raise RuntimeError("drawing a report failed")
    return made

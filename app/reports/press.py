"""Draws reports in a process of its own, a few at a time; nothing of it is left when the answer is sent."""

import asyncio
import logging
import os
import sys
from asyncio.subprocess import PIPE

from app.errors import NotFound, Unavailable
from app.reports.job import ReportJob

logger = logging.getLogger(__name__)

AT_ONCE = 2
UNKNOWN_FIGURE = 3
"""The status of a process that was asked for a figure that the report has not got; it says which there are."""
TIMEOUT_SECONDS = 120.0
WAIT_SECONDS = 60.0
_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "MPLCONFIGDIR", "LD_LIBRARY_PATH")
"""What Python and matplotlib need: nothing of the service's, least of all its secrets."""


class Press:
    """One for each API process."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def page(self, job: ReportJob) -> bytes:
        """The report as HTML. Raises Unavailable where it takes too long or too many wait."""
        return await self._draw(job, "page")

    async def figure(self, job: ReportJob, name: str, form: str) -> bytes:
        """One figure alone, ``svg`` or ``png``. Raises NotFound, or Unavailable as above."""
        return await self._draw(job, form, name)

    async def _draw(self, job: ReportJob, *arguments: str) -> bytes:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._turns.acquire()
        except TimeoutError as error:
            raise Unavailable("overloaded", "Too many reports at once; come again.") from error
        try:
            return await _run(job.model_dump_json().encode(), *arguments)
        finally:
            self._turns.release()


async def _run(job: bytes, *arguments: str) -> bytes:
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    command = (sys.executable, "-m", "app.reports.draw", *arguments)
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment)
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            made, complaints = await process.communicate(job)
    except TimeoutError as error:
        raise Unavailable("report-timeout", "Drawing the report took too long.") from error
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

"""What the run that a version came from is told: the numbers as metrics, the report as a file."""

import logging
from collections.abc import Callable
from uuid import UUID

from app.errors import EgressFailure, SalienceError
from app.policies.write_back import Words
from app.registries.base import KeepsRuns, Version

logger = logging.getLogger(__name__)

DrawReport = Callable[[UUID, UUID], bytes]
"""Of a tenant, the page of an audit. Raises SalienceError, RuntimeError, TimeoutError."""
NOT_LOGGED = "The verdict is written; the run was not told all"


def log_to_run(registry: KeepsRuns, version: Version, words: Words, draw: Callable[[], bytes]) -> str | None:
    """A note where it is not all: the verdict stands beside it, and counts. Nothing for a version without a run.

    Raises EgressFailure that may pass: the same again changes nothing.
    """
    try:
        run_id = registry.version(version.name, version.version).run_id
        if not run_id:
            return None
        registry.log_metrics(run_id, words.numbers, words.at_ms)
        registry.log_file(run_id, f"salience/{words.audit_id}/report.html", draw())
    except EgressFailure as failure:
        if failure.passing:
            raise
        return f"{NOT_LOGGED}: {failure.detail}"
    except (SalienceError, RuntimeError, TimeoutError) as failure:
        logger.warning("the report of audit %s is not logged: %s", words.audit_id, type(failure).__name__)
        return f"{NOT_LOGGED}: its report could not be drawn."
    return None

"""All checks, one after another, and how they are shown."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from app.doctor.findings import Finding, Verdict, fail, ok
from app.doctor.machine import check_disk, check_versions, check_worker
from app.doctor.services import check_blobs, check_broker, check_database
from app.server_file import PartsFile, settings_of
from app.settings import settings_faults


def run_doctor(data: Path, *, as_json: bool) -> int:
    """Print every finding as it is made; 1 where one fails, else 0."""
    findings = []
    for finding in examine(data):
        findings.append(finding)
        if not as_json:
            sys.stdout.write(f"{finding.to_line()}\n")
            sys.stdout.flush()
    failed = any(finding.verdict is Verdict.FAIL for finding in findings)
    if as_json:
        document = {"ok": not failed, "findings": [finding.to_json() for finding in findings]}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    return int(failed)


def examine(data: Path) -> Iterator[Finding]:
    """Of the parts that the environment names; of those that run in the data folder where it names none."""
    running = PartsFile(data).read()
    try:
        settings = settings_of(data)
    except ValidationError as error:
        yield fail("settings", "; ".join(settings_faults(error)), "correct these environment variables")
        return
    yield ok("settings", f"of the service in {data}" if running else "from the environment and the defaults")
    yield from check_database(settings)
    yield from check_broker(settings)
    yield from check_blobs(settings)
    yield from check_disk(settings)
    yield from check_versions()
    yield from check_worker(settings)

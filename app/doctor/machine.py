"""This machine: installed versions, GPU and compiled routines, free space."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from app.doctor.findings import Finding, fail, ok, warn
from app.domain.vocabulary import SandboxLayer
from app.settings import GIBIBYTE, Settings

CONSTRAINTS = Path(__file__).resolve().parents[2] / "constraints.txt"
PACKAGE = "salience-audit"
ASK_SECONDS = 120

# A process of its own: torch stays out of this one, and a driver that hangs hangs only that.
_ASK_WORKER = """
import json, torch
from worker.sandbox.survey import missing_layers
try:
    from worker.functional import _native
except ImportError:
    _native = None
count = torch.cuda.device_count() if torch.cuda.is_available() else 0
names = [torch.cuda.get_device_name(n) for n in range(count)]
memory = [torch.cuda.mem_get_info(n) for n in range(count)]
found = {"torch": torch.__version__, "native": _native is not None, "names": names, "memory": memory}
print(json.dumps(found | {"missing_layers": missing_layers()}))
"""


def check_versions() -> Iterator[Finding]:
    """Every installed direct dependency against its range in pyproject.toml and its pin in constraints.txt."""
    try:
        requirements = [Requirement(line) for line in distribution(PACKAGE).requires or ()]
    except PackageNotFoundError:
        yield warn("versions", f"{PACKAGE} is not installed here", "install it: `pip install --editable .`")
        return
    found = {requirement.name: _installed(requirement.name) for requirement in requirements}
    missing = [need.name for need in requirements if found[need.name] is None and need.marker is None]
    bad = [
        f"{need.name} {found[need.name]} (needs {need.specifier})"
        for need in requirements
        if found[need.name] is not None and not need.specifier.contains(found[need.name] or "", prereleases=True)
    ]
    advice = "install again: `pip install --constraint constraints.txt --editable '.[api,worker]'`"
    if missing or bad:
        problems = [*(f"{name} is missing" for name in missing), *bad]
        yield fail("versions", "; ".join(problems), advice)
        return
    pins = _pins()
    other = [f"{name} {found[name]} (tested with {pins[name]})" for name in found if _differs(found[name], pins, name)]
    if other:
        yield warn("versions", "; ".join(other), advice)
        return
    yield ok("versions", f"{sum(value is not None for value in found.values())} packages as they were tested")


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _pins() -> dict[str, str]:
    """By name; empty where the file was not shipped."""
    lines = CONSTRAINTS.read_text(encoding="utf-8").splitlines() if CONSTRAINTS.exists() else []
    pairs = (line.partition("==") for line in lines if "==" in line and not line.startswith("#"))
    return {name.strip(): pin.strip() for name, _, pin in pairs}


def _differs(found: str | None, pins: dict[str, str], name: str) -> bool:
    return found is not None and name in pins and found.partition("+")[0] != pins[name].partition("+")[0]


def check_worker(settings: Settings) -> Iterator[Finding]:
    """GPU, compiled routines, sandbox; where no worker is installed, the GPU alone, as the driver sees it."""
    driver = _driver_gpus()
    if find_spec("torch") is None:
        names = ", ".join(driver) or "none"
        yield ok("gpu", f"no worker is installed here, so nothing uses one; the driver sees: {names}")
        return
    answer = _ask_worker()
    if isinstance(answer, str):
        advice = "install again: `pip install --constraint constraints.txt --editable '.[worker]'`"
        yield fail("gpu", f"torch cannot be imported: {answer}", advice)
        return
    yield judge_gpu(settings, answer, driver)
    if answer["native"]:
        yield ok("native", "the compiled routines are there")
    else:
        advice = "install a C compiler, then `pip install --no-deps --editable .`"
        yield warn("native", "no compiled routines: the same numbers, but slower", advice)
    yield judge_sandbox(settings, answer["missing_layers"])


def judge_sandbox(settings: Settings, missing: dict[str, str]) -> Finding:
    """``missing`` are layers that this system lacks, and why."""
    if not missing:
        return ok("sandbox", "models run behind every layer: " + ", ".join(SandboxLayer))
    detail = "this system lacks " + "; ".join(f"{layer} ({why})" for layer, why in missing.items())
    if missing.keys() <= set(settings.allow_missing_sandbox_layers):
        advice = "take no models from people you do not trust"
        return warn("sandbox", f"{detail}; ALLOW_MISSING_SANDBOX_LAYERS allows it", advice)
    allowing = f"ALLOW_MISSING_SANDBOX_LAYERS={','.join(missing)}"
    advice = f"use Linux 5.13 or newer and a container that allows them, or set {allowing}"
    return fail("sandbox", f"{detail}: the worker does not start (sandbox-unavailable)", advice)


def judge_gpu(settings: Settings, answer: dict[str, Any], driver: list[str]) -> Finding:
    """``answer`` is what torch sees, ``driver`` the names of the GPUs that the driver sees."""
    if answer["names"]:
        shown = [
            f"{name} ({free / GIBIBYTE:.0f} of {total / GIBIBYTE:.0f} GiB free)"
            for name, (free, total) in zip(answer["names"], answer["memory"], strict=True)
        ]
        return ok("gpu", f"torch {answer['torch']} sees {', '.join(shown)}")
    if driver:
        detail = f"the driver sees {', '.join(driver)}, but torch {answer['torch']} does not"
        advice = "unset CUDA_VISIBLE_DEVICES, or install a torch for this driver's CUDA version"
        return (fail if settings.device == "cuda" else warn)("gpu", detail, advice)
    if settings.device == "cuda":
        return fail("gpu", "DEVICE is cuda, but there is no GPU", "install the NVIDIA driver, or set DEVICE=auto")
    return ok("gpu", f"none; torch {answer['torch']} audits on {os.cpu_count()} CPU cores")


def _ask_worker() -> dict[str, Any] | str:
    """What torch sees, or why it could not be asked."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", _ASK_WORKER], capture_output=True, text=True, timeout=ASK_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"no answer in {ASK_SECONDS} s"
    if done.returncode:
        return (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _driver_gpus() -> list[str]:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    command = [tool, "--query-gpu=name", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ASK_SECONDS, check=False)
    except (subprocess.TimeoutExpired, OSError):
        return []
    return [] if done.returncode else done.stdout.split("\n")[:-1]


def check_disk(settings: Settings) -> Iterator[Finding]:
    """Room for uploads and for temporary files."""
    places = {"scratch": Path(tempfile.gettempdir())}
    if settings.local_blob_folder is not None:
        places["disk"] = settings.local_blob_folder.resolve()
    for check, place in places.items():
        existing = next(folder for folder in (place, *place.parents) if folder.exists())
        free = shutil.disk_usage(existing).free
        detail = f"{free / GIBIBYTE:.1f} GiB free under {existing}"
        advice = "free some space, shorten the KEEP_..._DAYS settings, or move BLOB_STORE (TMPDIR for scratch)"
        if free < GIBIBYTE:
            yield fail(check, detail, advice)
        elif free < settings.max_upload_bytes:
            yield warn(check, f"{detail}, less than the largest upload allowed", advice)
        else:
            yield ok(check, detail)

"""A worker's GPU memory reaches ``/metrics`` through the database; the driver is one of ours with NVML's interface."""

import os
import subprocess
import sys
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from app.metrics.families import SnapshotCollector
from app.metrics.repository import read_snapshot
from worker.machine.gpu_memory import read_gpu_memory

# The functions of libnvidia-ml.so.1 that are called, for a machine with two devices.
DRIVER = r"""
#include <stdio.h>
#include <string.h>
typedef struct { unsigned long long total, free, used; } memory_t;
int nvmlInitWithFlags(unsigned flags) { return 0; }
int nvmlShutdown(void) { return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) {
    if (index > 1) return 6;
    *device = (void *)(0x1234567800000000ull + index);
    return 0;
}
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 2; return 0; }
int nvmlDeviceGetUUID(void *device, char *uuid, unsigned length) {
    unsigned long long index = (unsigned long long)device - 0x1234567800000000ull;
    snprintf(uuid, length, index ? "GPU-one-of-two" : "GPU-another");
    return 0;
}
int nvmlDeviceGetHandleByUUID(const char *uuid, void **device) {
    return strcmp(uuid, "MIG-one") ? 6 : nvmlDeviceGetHandleByIndex_v2(1, device);
}
int nvmlDeviceGetMemoryInfo(void *device, memory_t *memory) {
    unsigned long long index = (unsigned long long)device - 0x1234567800000000ull;
    memory->total = 80000000000ull + index; memory->used = 5000000000ull + index; memory->free = 75000000000ull;
    return 0;
}
int nvmlDeviceGetName(void *device, char *name, unsigned length) { snprintf(name, length, "Test GPU"); return 0; }
"""

REPORT = """
import sys, time
from app.settings import Settings
from worker.lifecycle.context import WorkerContext
from worker.lifecycle.gpu_reports import GpuReporter
context = WorkerContext.from_settings(Settings(device="cuda", cuda_visible_devices="1"), "host/1")
reporter = GpuReporter(context)
reporter.start()
sys.stdin.readline()
reporter.stop()
"""


def compiled(folder: Path) -> dict[str, str]:
    (folder / "driver.c").write_text(DRIVER)
    command = ["cc", "-shared", "-fPIC", "-o", str(folder / "libnvidia-ml.so.1"), str(folder / "driver.c")]
    subprocess.run(command, check=True)
    return os.environ | {"LD_LIBRARY_PATH": str(folder)}


def test_which_device(tmp_path: Path) -> None:
    script = "import sys; from worker.machine.gpu_memory import read_gpu_memory as r; print(r(eval(sys.argv[1])))"
    environment = compiled(tmp_path)
    for visible, used in (
        ("None", 5_000_000_000),
        ("'1,0'", 5_000_000_001),
        ("'GPU-one'", 5_000_000_001),
        ("'MIG-one'", 5_000_000_001),
    ):
        command = [sys.executable, "-c", script, visible]
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        assert f"GpuMemory(name='Test GPU', used_bytes={used}" in done.stdout
    for visible in ("'7'", "''", "'GPU-none'"):
        command = [sys.executable, "-c", script, visible]
        assert subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout == "None\n"


def test_without_a_driver() -> None:
    if not any(Path(folder).glob("libnvidia-ml.so.1") for folder in ("/usr/lib", "/usr/lib/x86_64-linux-gnu")):
        assert read_gpu_memory(None) is None


def test_a_report_is_shown_and_taken_back(database_url: str, tmp_path: Path) -> None:
    environment = compiled(tmp_path) | {"DATABASE_URL": database_url}
    worker = subprocess.Popen([sys.executable, "-c", REPORT], env=environment, stdin=subprocess.PIPE)
    engine = create_engine(database_url)

    def shown() -> dict[tuple[str, ...], float]:
        with Session(engine) as session:
            families = SnapshotCollector(read_snapshot(session), {}).collect()
            return {
                (sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples
            }

    used = ("salience_audit_worker_gpu_memory_used_bytes", "host/1", "Test GPU")
    try:
        while worker.poll() is None and used not in shown():
            pass
        assert shown()[used] == 5_000_000_001
        assert shown()["salience_audit_worker_gpu_memory_total_bytes", "host/1", "Test GPU"] == 80_000_000_001
    finally:
        worker.communicate(b"\n")
    assert worker.returncode == 0
    assert used not in shown()
    engine.dispose()

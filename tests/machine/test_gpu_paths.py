"""What the paths of a GPU do that can be shown without one: device numbers, precision, shortages, failed starts."""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.cuda._utils import _get_device_index

from app.domain.protocol import ProtocolRequest
from app.embedded.gpu_workers import list_gpus
from app.settings import Settings
from worker.child.failures import failed
from worker.child.inputs import JobInputs
from worker.child.server import Tools, _outcome
from worker.machine.device import compute_exactly, pick_device
from worker.machine.shortage import is_device_fault, is_gpu_shortage, is_shortage
from worker.supervision.endings import DeviceFailed, failure_of
from worker.supervision.environment import library_environment
from worker.weights.speed import ModelSpeed, Placed
from worker.wire.jobs import ImagesJob
from worker.wire.replies import Done, Failed
from worker.wire.start import Start


@pytest.mark.parametrize(("wanted", "number"), [("cuda", 0), ("cuda:0", 0), ("cuda:1", 1)])
def test_a_gpu_has_its_number(wanted: str, number: int) -> None:
    """What ``set_per_process_memory_fraction`` asks of a device; one without a number ended every child."""
    assert _get_device_index(pick_device(wanted)) == number


def test_float32_means_float32() -> None:
    """Whatever was chosen before; torch's own default for convolutions is TF32."""
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    before = torch.are_deterministic_algorithms_enabled()
    cudnn.allow_tf32 = cudnn.benchmark = matmul.allow_tf32 = True
    cudnn.deterministic = False
    try:
        compute_exactly()
        assert (cudnn.allow_tf32, matmul.allow_tf32) == (False, False)
        assert (cudnn.benchmark, cudnn.deterministic) == (False, True)
        assert torch.are_deterministic_algorithms_enabled()
    finally:
        torch.use_deterministic_algorithms(before)


def test_no_variable_turns_tf32_on() -> None:
    given = {"NVIDIA_TF32_OVERRIDE": "1", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": "1", "CUDA_VISIBLE_DEVICES": "2"}
    environment = library_environment(given)
    assert environment.keys() & given.keys() == {"CUDA_VISIBLE_DEVICES"}
    assert environment["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


@pytest.mark.parametrize(
    "words",
    [
        "CUDA out of memory. Tried to allocate 2.00 GiB.",
        "GET was unable to find an engine to execute this computation",
        "FIND was unable to find an engine to execute this computation",
        "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
        "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED",
        "CUDA ran out of memory outside PyTorch's allocator.",
        "CUDA error: out of memory",
    ],
)
def test_a_shortage_is_known_by_its_words(words: str) -> None:
    assert is_gpu_shortage(RuntimeError(words))
    assert not is_shortage(RuntimeError(words))


def test_other_errors_are_no_shortage() -> None:
    assert not is_gpu_shortage(ValueError("CUDA out of memory"))
    assert not is_device_fault(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not is_device_fault(ValueError("CUDA error: device-side assert triggered"))


@pytest.mark.parametrize(
    "words",
    [
        "CUDA error: an illegal memory access was encountered",
        "CUDA error: device-side assert triggered",
        "CUDA error: uncorrectable ECC error encountered",
        "CUDA error: unspecified launch failure",
        "CUDA error: misaligned address",
        "CUDA error: the launch timed out and was terminated",
        "CUDA error: no CUDA-capable device is detected",
        "CUDA error: unknown error",
        "CUDA driver error: device not ready",
        "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED",
        "CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm`",
        "Unable to determine the device handle for GPU0000:3B:00.0: GPU is lost. Reboot the system",
    ],
)
def test_a_fault_of_the_device_is_known_by_its_words(words: str) -> None:
    """It is neither a shortage nor the model's crash."""
    found = failed(RuntimeError(f"{words}\nCUDA kernel errors might be asynchronously reported"))
    assert (found.failure, found.code, found.detail) == ("device", "device-failed", words)
    assert isinstance(failure_of(found, ""), DeviceFailed)


def test_a_job_gives_back_its_gpu_s_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever became of it; and a device that has failed, which fails here again, hides no outcome."""
    emptied: list[str] = []

    def empty() -> None:
        emptied.append("once")
        raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")

    def broken(*_: object) -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(torch.cuda, "empty_cache", empty)
    tools = Tools(Settings(threads=torch.get_num_threads()), torch.device("cuda", 0))
    job = ImagesJob(archive_digest="", samples=())
    assert isinstance(_outcome(_Deaf(), tools, job, JobInputs((), ())), Done)  # type: ignore[arg-type]
    monkeypatch.setattr("worker.child.server.run_images_job", broken)
    found = _outcome(_Deaf(), tools, job, JobInputs((), ()))  # type: ignore[arg-type]
    assert isinstance(found, Failed)
    assert (found.failure, emptied) == ("device", ["once", "once"])


class _Deaf:
    """A channel that nobody reads."""

    def send(self, *_: object) -> None:
        pass


def test_warm_children_share_the_memory_with_the_one_at_work() -> None:
    settings = Settings(warm_children=2, child_gpu_memory_share=0.9)
    assert Start.of(settings, scratch=Path("/"), memory_bytes=1).gpu_memory_share == pytest.approx(0.3)


class _Timed:
    """Notes how many images it is asked to explain at once."""

    def __init__(self) -> None:
        self.batches: set[int] = set()

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        self.batches.add(len(images))
        return torch.zeros(1)


def _given(timed: _Timed) -> Placed:
    return Placed(timed, behind=None, bias_channels=None)


def test_the_speed_of_a_gpu_is_that_of_the_protocol_s_batch() -> None:
    """A pass of eight images would take it as long as one of sixteen, and shards would come out too short."""
    for device, batch in (("cpu", 8), ("meta", ProtocolRequest().resolve().micro_batch)):
        timed = _Timed()
        speed = ModelSpeed.of(partial(_given, timed), torch.device(device), 8, 3)
        assert speed is not None
        assert (timed.batches, speed.micro_batch) == ({batch}, batch)


def test_a_model_that_does_not_fit_has_no_speed() -> None:
    def placed() -> Any:
        raise RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED")

    assert ModelSpeed.of(placed, torch.device("meta"), 8, 3) is None


_START = """
import sys
from app.domain.vocabulary import ModelFormat
from app.errors import TransientFailure
from app.settings import Settings
from worker.supervision import children
from worker.wire.jobs import ImagesJob

children.MOST_FAILED_STARTS = 2
for attempt in range(3):
    print(attempt, flush=True)
    try:
        with children.Children(Settings(device=sys.argv[1])).fresh() as child:
            list(child.converse(ImagesJob(archive_digest="", samples=()), None))
    except TransientFailure as failure:
        print(failure.code, failure.detail, flush=True)
"""


@pytest.mark.skipif(torch.cuda.is_available(), reason="here a child finds its GPU")
def test_a_child_that_computes_elsewhere_does_not_start(tmp_path: Path) -> None:
    """A driver beside a torch that does not see it: scores would be the CPU's under the name of a GPU."""
    source = tmp_path / "driver.c"
    source.write_text(
        "int cuInit(unsigned f) { return 0; } int cuDeviceGetCount(int *n) { *n = 1; return 0; }"
        "int cuDeviceGetName(char *s, int n, int d) { *s = 'X'; s[1] = 0; return 0; }"
    )
    subprocess.run(["cc", "-shared", "-fPIC", "-o", tmp_path / "libcuda.so.1", source], check=True)
    environment = os.environ | {"LD_LIBRARY_PATH": str(tmp_path)}
    found = subprocess.run(
        [sys.executable, "-c", _START, "auto"], env=environment, capture_output=True, text=True, check=False
    )
    assert "It computes on the cpu, this worker's driver says gpu." in found.stdout, found.stderr


def test_a_list_of_visible_gpus_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Slurm gives it to a job."""
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\nprintf '0, GPU-aa11\\n1, GPU-bb22\\n2, GPU-bc33\\n'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    for visible, expected in {"1,2": [1, 2], "GPU-b": [1, 2], "GPU-bc33": [2], "": [], "7": []}.items():
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        assert list_gpus() == expected
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert list_gpus() == [0, 1, 2]


@pytest.mark.skipif(torch.cuda.is_available(), reason="here a child starts")
def test_a_worker_whose_children_never_start_ends() -> None:
    code = _START.replace("children.Children(Settings(device=sys.argv[1]))", "family").replace(
        "for attempt", "family = children.Children(Settings(device=sys.argv[1]))\nfor attempt"
    )
    found = subprocess.run([sys.executable, "-c", code, "cuda"], capture_output=True, text=True, check=False)
    assert found.returncode == -signal.SIGTERM, found.stderr
    assert found.stdout.splitlines()[0] == "0"
    assert "child-not-started" in found.stdout


def test_the_command_for_a_gpu_says_what_was_not_run() -> None:
    """Every part, and none of them as a failure."""
    hidden = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    found = subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu"], env=hidden, capture_output=True, text=True, check=True
    )
    rows = [line for line in found.stdout.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 5
    assert all("| not run: no CUDA device |" in row for row in rows[1:])
    assert found.stdout.endswith("No part was run: there is no CUDA device here.\n")


def test_threads_of_a_driver_have_no_privileges() -> None:
    """Capabilities are each thread's own. In a process of its own, in the sandbox of a GPU, for good."""
    code = """
import re, threading
from pathlib import Path
from app.domain.vocabulary import SandboxLayer
from worker.sandbox.layers import Sandbox
sandbox = Sandbox(None, 2**20, None, gpu=True, allowed=frozenset({SandboxLayer.LANDLOCK, SandboxLayer.SECCOMP}))
sandbox.give_up_privileges()
end = threading.Event()
driver = threading.Thread(target=end.wait)
driver.start()
sandbox.enclose()
found = [path.read_text() for path in Path("/proc/self/task").glob("*/status")]
end.set()
assert len(found) == 2
for status in found:
    for line in ("CapEff", "CapPrm", "CapInh"):
        assert re.search(rf"{line}:\\s0+$", status, re.MULTILINE), status
    assert "NoNewPrivs:\\t1" in status
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr

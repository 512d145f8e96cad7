"""``salience-audit worker --gpus``: one supervised worker process for each GPU of this machine."""

import os
import shutil
import subprocess
import sys

from app.embedded.process import ChildSpec
from app.embedded.supervisor import Supervisor
from app.errors import SalienceError

STOP_SECONDS = 50.0
"""For the shard that is being run; what is not done by then another worker does."""


def run_gpu_workers(wanted: str) -> int:
    """Until SIGINT or SIGTERM; the exit status is 1 where the GPUs are not there or a worker cannot be kept alive.

    ``wanted`` is ``all``, how many (``2``: the first two) or which (``0,2``; ``3,`` is number 3 alone), as nvidia-smi
    numbers them.
    """
    try:
        chosen = choose_gpus(wanted, list_gpus())
        with Supervisor(together=True) as supervisor:
            threads = max(1, len(os.sched_getaffinity(0)) // len(chosen))
            for gpu in chosen:
                supervisor.start(_worker(gpu, threads))
            sys.stdout.write(f"{len(chosen)} workers run, on GPUs {', '.join(map(str, chosen))}\n")
            sys.stdout.flush()
            supervisor.watch()
    except SalienceError as error:
        sys.stderr.write(f"{error.detail}\n")
        return 1
    return 0


def list_gpus() -> list[int]:
    """Their numbers; empty where there is no driver, or where it does not answer.

    Of a list in ``CUDA_VISIBLE_DEVICES``, as Slurm and Kubernetes give one to a job, only those that it names, by
    number or by the beginning of their UUID.
    """
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    command = [program, "--query-gpu=index,uuid", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    except subprocess.SubprocessError:
        return []
    lines = [[part.strip() for part in line.split(",")] for line in answer.stdout.splitlines()]
    found = {int(parts[0]): parts[1] if len(parts) > 1 else "" for parts in lines if parts[0].isdecimal()}
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return list(found)
    wanted = [word.strip() for word in visible.split(",")]
    return [number for number, uuid in found.items() if any(_names(word, number, uuid) for word in wanted)]


def _names(word: str, number: int, uuid: str) -> bool:
    return word == str(number) or (word.startswith(("GPU-", "MIG-")) and uuid.startswith(word))


def choose_gpus(wanted: str, present: list[int]) -> list[int]:
    """Raises SalienceError ``no-gpu`` where they are not here, ``gpus-not-understood`` where the words say nothing."""
    if not present:
        detail = "There is no GPU here that nvidia-smi can see; start `salience-audit worker` to use the CPU."
        raise SalienceError("no-gpu", detail)
    if wanted == "all":
        return present
    parts = wanted.removesuffix(",").split(",")
    numbers = [int(part) for part in parts if part.isdecimal()]
    if len(set(numbers)) < len(parts):
        raise SalienceError("gpus-not-understood", f"--gpus takes all, a count, or numbers as in 0,1; not {wanted!r}.")
    chosen, count = (numbers, len(numbers)) if "," in wanted else (present[: numbers[0]], numbers[0])
    if not chosen or len(chosen) != count or not set(chosen) <= set(present):
        here = ", ".join(map(str, present))
        raise SalienceError("no-gpu", f"--gpus {wanted} asks for GPUs that are not here; there are: {here}.")
    return chosen


def _worker(gpu: int, threads: int) -> ChildSpec:
    return ChildSpec(
        name=f"gpu-{gpu}",
        command=(sys.executable, "-m", "app.cli", "worker"),
        log=None,
        # Messages wait in the broker until it has loaded torch.
        ready=lambda: True,
        # In the order of nvidia-smi: CUDA's own puts the fastest first.
        environment={
            "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
            "CUDA_VISIBLE_DEVICES": str(gpu),
            "DEVICE": "cuda",
            # An operator's own choice stands; else every worker would take all cores.
            "THREADS": os.environ.get("THREADS", str(threads)),
        },
        stop_seconds=STOP_SECONDS,
    )

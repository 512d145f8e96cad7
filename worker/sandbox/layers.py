"""All layers of the sandbox, in the order in which they can be set up."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from app.domain.vocabulary import SandboxLayer
from worker.sandbox.landlock import lock_files
from worker.sandbox.limits import PROC, count_in, limit_memory, limit_process
from worker.sandbox.places import reachable
from worker.sandbox.privileges import drop_privileges
from worker.sandbox.seccomp import lock_calls


class LayerMissing(Exception):
    """A layer cannot be set up here, and nobody allowed that it is missing."""


@dataclass
class Sandbox:
    """Restricts its own process, for good; those layers that are ``allowed`` to may be missing.

    First `enclose`, while the process has one thread: what it takes away holds for those that it starts afterwards.
    Then whatever starts threads and takes memory to keep. Then `seal`. A GPU's driver starts its threads before
    `enclose`, after `give_up_privileges`, so that they have none either. Without a ``scratch`` folder nothing can be
    written; ``memory_bytes`` None leaves memory alone.
    """

    scratch: Path | None
    file_bytes: int
    memory_bytes: int | None
    gpu: bool
    allowed: frozenset[SandboxLayer]
    missing: dict[SandboxLayer, str] = field(default_factory=dict)
    _status: BinaryIO | None = None

    def give_up_privileges(self) -> None:
        """Of this thread and those that it starts; to do so twice changes nothing. Raises LayerMissing."""
        self._set_up(SandboxLayer.PRIVILEGES, drop_privileges)

    def enclose(self) -> None:
        """Raises LayerMissing."""
        self._set_up(SandboxLayer.LIMITS, self._limit)
        self.give_up_privileges()
        self._set_up(SandboxLayer.LANDLOCK, self._lock_files)

    def seal(self) -> None:
        """Raises LayerMissing."""
        self._set_up(SandboxLayer.LIMITS, self._limit_memory)
        self._set_up(SandboxLayer.SECCOMP, lambda: lock_calls(gpu=self.gpu))

    def _limit(self) -> None:
        limit_process(self.file_bytes)
        # Kept open: behind Landlock it could not be opened.
        self._status = (PROC / "self" / "status").open("rb", buffering=0)

    def _limit_memory(self) -> None:
        if self._status is not None and self.memory_bytes is not None:
            limit_memory(self._status, self.memory_bytes)

    def _lock_files(self) -> None:
        threads = count_in(PROC / "self" / "task")
        # The driver of a GPU starts threads of its own, which only seccomp reaches.
        if threads > 1 and not self.gpu:
            raise OSError(f"{threads - 1} other threads run already")
        lock_files(reachable(self.scratch, gpu=self.gpu))

    def _set_up(self, layer: SandboxLayer, how: Callable[[], None]) -> None:
        try:
            how()
        except (OSError, ValueError, KeyError) as error:
            if layer not in self.allowed:
                raise LayerMissing(f"The sandbox layer {layer} cannot be set up: {error}") from error
            self.missing[layer] = str(error)

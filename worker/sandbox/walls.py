"""All walls, in the order in which they can be put up."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from app.domain.vocabulary import Wall
from worker.sandbox.landlock import lock_files
from worker.sandbox.limits import PROC, count_in, limit_memory, limit_process
from worker.sandbox.places import reachable
from worker.sandbox.privileges import drop_privileges
from worker.sandbox.seccomp import lock_calls


class WallMissing(Exception):
    """A wall cannot be put up here, and nobody allowed that it is missing."""


@dataclass
class Builder:
    """Puts up walls around its own process, for good; those that are ``allowed`` to may be missing.

    First `enclose`, while the process has one thread: Landlock holds for those that it starts afterwards. Then
    whatever starts threads and takes memory to keep. Then `seal`. ``memory_bytes`` None leaves memory alone.
    """

    scratch: Path
    file_bytes: int
    memory_bytes: int | None
    gpu: bool
    allowed: frozenset[Wall]
    missing: dict[Wall, str] = field(default_factory=dict)
    _status: BinaryIO | None = None

    def enclose(self) -> None:
        """Raises WallMissing."""
        self._put_up(Wall.LIMITS, self._limit)
        self._put_up(Wall.PRIVILEGES, drop_privileges)
        self._put_up(Wall.LANDLOCK, self._lock_files)

    def seal(self) -> None:
        """Raises WallMissing."""
        self._put_up(Wall.LIMITS, self._limit_memory)
        self._put_up(Wall.SECCOMP, lambda: lock_calls(gpu=self.gpu))

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

    def _put_up(self, wall: Wall, how: Callable[[], None]) -> None:
        try:
            how()
        except (OSError, ValueError, KeyError) as error:
            if wall not in self.allowed:
                raise WallMissing(f"The wall {wall} cannot be put up: {error}") from error
            self.missing[wall] = str(error)

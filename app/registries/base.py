"""What every registry is asked, whichever it is: versions, their files, and to take a verdict."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol, runtime_checkable

from app.egress.answers import Begun
from app.errors import EgressFailure
from app.registries.checksums import Checksum

READY = "READY"
_PATTERN = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Version:
    """One that stays what it is: a number, or the commit that a name stood for."""

    name: str
    version: str
    status: str = READY
    description: str = ""
    created_ms: int = 0
    tags: Mapping[str, str] = field(default_factory=dict)
    run_id: str = ""
    """Of MLflow: the run that it came from."""

    @property
    def registered_at(self) -> datetime | None:
        """None where the registry does not say, or says what no calendar has."""
        try:
            made_at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=self.created_ms)
        except OverflowError:
            return None
        return made_at if self.created_ms else None


@dataclass(frozen=True)
class Wanted:
    """Which versions a sweep asks for. A registry that cannot narrow its answer by a pattern tells of more."""

    model: str
    """A pattern of names."""
    after: datetime
    tags: Mapping[str, str] = field(default_factory=dict)
    """Patterns by tag."""


class Pieces(Protocol):
    """A file's bytes, as they come."""

    @property
    def size(self) -> int | None:
        """As it is told before they come; None where it is not."""

    def pieces(self) -> Iterator[bytes]: ...


class Files(Protocol):
    """Those of one version. Every method raises EgressFailure."""

    @property
    def version(self) -> Version: ...

    def names(self) -> set[str]:
        """Paths below the version's own folder."""

    def fetch(self, name: str, most_bytes: int, begun: Begun | None = None) -> AbstractContextManager[Pieces]:
        """Of what was begun that which follows, where whoever has the file sends parts."""

    def pin(self, name: str) -> str | None:
        """What tells the file's bytes from all that it ever had or will have, so that a fetch can go on; None where
        nothing does, or where nobody needs to go on."""

    def checksum(self, name: str) -> Checksum | None:
        """None where the registry tells none."""


class Opening(Protocol):
    """What versions are found in."""

    def open(self, uri: str) -> Files:
        """The version that an address names now. Raises EgressFailure."""


class Registry(Opening, Protocol):
    """One server. Every method raises EgressFailure; its code says whether waiting may help."""

    def version(self, name: str, version: str) -> Version:
        """With the time at which it was made there, where the registry tells it."""

    def aliased(self, name: str, alias: str) -> Version: ...

    def made(self, wanted: Wanted) -> Iterator[Version]:
        """Versions that were made later than that, or of which nobody knows when, in no order that is promised."""

    def aliases(self, wanted: Wanted) -> Iterator[tuple[str, Version]]:
        """Those that stand for versions now, whenever they were set."""

    def tagged(self, wanted: Wanted) -> Iterator[Version]:
        """Versions that have such tags now, whenever they were made or got them."""

    def tries(self) -> Mapping[str, Callable[[], object]]:
        """What must work, in words."""


@runtime_checkable
class TakesTags(Protocol):
    """A registry to whose versions tags can be written, or what stands for them."""

    def write(self, version: Version, tags: Mapping[str, str]) -> str | None:
        """A note where it is not all. Raises EgressFailure."""


@runtime_checkable
class TakesProposals(Protocol):
    """A registry whose owners take or refuse what is proposed."""

    def propose(self, version: Version, tags: Mapping[str, str]) -> str:
        """Where it was. Raises EgressFailure."""


@runtime_checkable
class KeepsRuns(Protocol):
    """A registry that keeps the runs which versions came from."""

    def version(self, name: str, version: str) -> Version:
        """With its run."""

    def log_metrics(self, run_id: str, numbers: Mapping[str, float], at_ms: int) -> None:
        """Of that time. Raises EgressFailure."""

    def log_file(self, run_id: str, name: str, content: bytes) -> None:
        """Among the run's artifacts. Raises EgressFailure."""


@runtime_checkable
class KeepsAliases(Protocol):
    """A registry whose aliases can be moved."""

    def aliased(self, name: str, alias: str) -> Version: ...

    def give_alias(self, version: Version, alias: str) -> None:
        """Whichever version has it. Raises EgressFailure."""


def holder_of(registry: Registry | KeepsAliases, name: str, alias: str) -> Version | None:
    """None while no version has the alias. Raises EgressFailure."""
    try:
        return registry.aliased(name, alias)
    except EgressFailure as failure:
        if failure.code == "registry-not-found":
            return None
        raise


def is_pattern(text: str) -> bool:
    """Whether it may fit several names, as `fnmatch` reads it."""
    return _PATTERN.search(text) is not None

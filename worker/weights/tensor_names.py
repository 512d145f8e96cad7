"""The tensors of a file by one name each, as the file has them and without what wrappers put into the names."""

from collections.abc import Callable
from dataclasses import dataclass, field

from app.domain.refusals.networks import KEY_UNKNOWN
from worker.weights.contents import Contents
from worker.weights.lazy import LazyTensor
from worker.weights.parametrizations import folded
from worker.weights.walking import Path

WRAPPERS = frozenset({"module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_module"})
"""What data parallelism, compilation, sharding, checkpointing and Opacus put before names, and amid them."""
MOST_KEYS = 20
"""That a refusal names."""
Source = Callable[[], LazyTensor]


@dataclass(frozen=True)
class Names:
    """All tensors of a file by one name each; ``wrappers`` were taken out of the names.

    ``homes`` says of a name in which mapping, or in which whole module, its tensor is.
    """

    sources: dict[str, Source]
    homes: dict[str, Path]
    wrappers: tuple[str, ...] = ()
    folded: dict[str, int] = field(default_factory=dict)


def names_of(contents: Contents, key: str | None) -> list[Names]:
    """As the file has them, and without what wrappers put into them, where that changes anything.

    ``key`` keeps what lies below it. Raises InputFailure ``model-architecture-mismatch`` where nothing does.
    """
    whole = {".".join(path): source for path, source in contents.tensors.items()}
    homes = {".".join(path): _home(path, contents) for path in contents.tensors}
    if key is not None:
        below = {name: source for name, source in whole.items() if name.startswith(f"{key}.")}
        if not below:
            raise KEY_UNKNOWN.failure(key=repr(key), keys=", ".join(top_keys(contents)))
        whole = below
    sources, counts = folded(whole)
    plain = Names(sources, homes, (), counts)
    found = tuple(sorted({part for name in sources for part in name.split(".")} & WRAPPERS))
    bare = {_bare(name): source for name, source in sources.items()}
    if not found or len(bare) < len(sources):
        return [plain]
    return [plain, Names(bare, {_bare(name): home for name, home in homes.items()}, found, counts)]


def _home(path: Path, contents: Contents) -> Path:
    return next((path[:end] for end in range(len(path)) if path[:end] in contents.modules), path[:-1])


def _bare(name: str) -> str:
    return ".".join(part for part in name.split(".") if part not in WRAPPERS)


def top_keys(contents: Contents) -> list[str]:
    """The outermost keys under which there are tensors."""
    return list(dict.fromkeys(path[0] for path in contents.tensors))[:MOST_KEYS]

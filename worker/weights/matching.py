"""Finds in a file the tensors of a network: by their names, under whichever keys and prefixes they are."""

from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from operator import itemgetter
from typing import NamedTuple

from app.domain.refusals.networks import AMBIGUOUS
from worker.weights.outline import Outline
from worker.weights.spellings import HEADS, spelled
from worker.weights.tensor_names import MOST_KEYS, Names, Source

MAX_COMPONENTS = 64


class Fit(NamedTuple):
    """Under ``prefix``, names as ``library`` spells them, are ``named`` tensors of the network."""

    prefix: str
    named: int
    library: str | None
    names: Mapping[str, str]


@dataclass(frozen=True)
class Match:
    """The tensors under one prefix by the network's names, others under it by their own.

    ``beside`` are those that stand next to the network in the same mapping, and belong to no part of it.
    """

    outline: Outline
    tensors: dict[str, Source]
    fits: bool
    key: str
    library: str | None
    wrappers: tuple[str, ...] = ()
    folded: dict[str, int] = field(default_factory=dict)
    beside: dict[str, Source] = field(default_factory=dict)


def match(outline: Outline, names: Iterable[Names]) -> Match:
    """The one set of weights that fits; where none does, the nearest, with ``fits`` False.

    Raises InputFailure ``model-weights-ambiguous`` where several fit that are not the same tensors.
    """
    nearest: Match | None = None
    for each in names:
        fits, near = _fits(outline, each)
        distinct = _distinct(outline, each, fits)
        if len(distinct) > 1:
            keys = sorted({_key(fit.prefix) for fit in distinct})[:MOST_KEYS]
            program: dict[str, object] = {"keys": keys}
            told = {"count": len(keys), "architecture": outline.architecture, "keys": ", ".join(keys)}
            raise AMBIGUOUS.failure(program=program, **told)
        if distinct:
            return _taken(outline, each, distinct[0])
        if nearest is None:
            nearest = replace(_taken(outline, each, near), fits=False)
    if nearest is None:
        raise ValueError("no names to match")
    return nearest


def _fits(outline: Outline, names: Names) -> tuple[list[Fit], Fit]:
    """All that fit, of each prefix the spelling that names the most; and the nearest."""
    best: dict[str, Fit] = {}
    nearest = Fit("", -1, None, {})
    for library, renamed in spelled(outline):
        original = {foreign: own for own, foreign in renamed.items()}
        needed = len(outline.body)
        body = {renamed[name] for name in outline.body}
        for prefix, (count, in_body) in _coverage(names.sources, original, body).items():
            fit = Fit(prefix, count, library, original)
            if count > nearest.named:
                nearest = fit
            if in_body == needed and (prefix not in best or count > best[prefix].named):
                best[prefix] = fit
    return list(best.values()), nearest


def _coverage(names: Iterable[str], wanted: Mapping[str, str], body: set[str]) -> dict[str, tuple[int, int]]:
    """Of every prefix: how many wanted names follow it, and how many of these are of the body."""
    counts: Counter[str] = Counter({"": 0})
    in_body: Counter[str] = Counter()
    for name in names:
        end = len(name)
        for _ in range(MAX_COMPONENTS):
            end = name.rfind(".", 0, end)
            rest = name[end + 1 :]
            if rest in wanted:
                counts[name[: end + 1]] += 1
                in_body[name[: end + 1]] += rest in body
            if end < 0:
                break
    return {prefix: (count, in_body[prefix]) for prefix, count in counts.items()}


def _distinct(outline: Outline, names: Names, fits: list[Fit]) -> list[Fit]:
    """Without those that are the same tensors under another name, or the same body with less of a head."""
    if len(fits) < 2:
        return fits
    found: dict[object, Fit] = {}
    bodies: dict[object, int] = {}
    for fit in sorted(fits, key=lambda fit: ("state_dict" not in fit.prefix, len(fit.prefix), fit.prefix)):
        found.setdefault(_identity(names, fit, outline.shapes), fit)
        body = _identity(names, fit, outline.body)
        bodies[body] = max(bodies.get(body, 0), fit.named)
    return [fit for fit in found.values() if fit.named == bodies[_identity(names, fit, outline.body)]]


def _identity(names: Names, fit: Fit, wanted: Container[str]) -> object:
    places = [fit.prefix + foreign for foreign, own in sorted(fit.names.items(), key=itemgetter(1)) if own in wanted]
    return tuple(names.sources[place]().identity for place in places if place in names.sources)


def _taken(outline: Outline, names: Names, fit: Fit) -> Match:
    tensors: dict[str, Source] = {}
    for name, source in names.sources.items():
        if name.startswith(fit.prefix):
            rest = name[len(fit.prefix) :]
            tensors[fit.names.get(rest) or _of_head(outline, rest)] = source
    home = next((names.homes.get(fit.prefix + name) for name in fit.names if fit.prefix + name in names.sources), None)
    beside = {
        name: source
        for name, source in names.sources.items()
        if names.homes.get(name) == home and not name.startswith(fit.prefix)
    }
    return Match(outline, tensors, True, _key(fit.prefix), fit.library, names.wrappers, names.folded, beside)


def _of_head(outline: Outline, name: str) -> str:
    """The last layer as pretrainedmodels calls it, also where it was replaced by several."""
    for start in HEADS:
        if name.startswith(start) and not any(own.startswith(start) for own in outline.shapes):
            return f"{outline.head_module}.{name[len(start) :]}"
    return name


def _key(prefix: str) -> str:
    return prefix.removesuffix(".")


def is_ignored(name: str, patterns: Iterable[str]) -> bool:
    """Whether a pattern names the tensor, all of its module, or fits with ``*`` and ``?``."""
    return any(name == pattern or name.startswith(f"{pattern}.") or fnmatchcase(name, pattern) for pattern in patterns)

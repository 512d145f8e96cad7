"""Which networks a name may mean: torchvision's, timm's or transformers', however people spell it."""

import re
from difflib import get_close_matches
from functools import cache
from importlib.util import find_spec

import torchvision

from app.domain.refusals.architectures import ARCHITECTURE_UNKNOWN
from worker.weights import transformers_networks

TORCHVISION, TIMM, TRANSFORMERS = "torchvision", "timm", "transformers"
_HUB = re.compile(r"(?:hf[-_]hub:)?(?:timm/)", re.IGNORECASE)
_LIBRARY = re.compile(r"(?:(torchvision)(?:\.models\.|/|\.)|(transformers)[/.])", re.IGNORECASE)
_NAME = re.compile(r"[a-zA-Z0-9_.\-]+")
_SUGGESTIONS = 3
_LONGEST = 200
# As the package pretrainedmodels names what timm has by another name.
_ALIASES = {
    "seresnet50": "legacy_seresnet50", "seresnet101": "legacy_seresnet101", "seresnet152": "legacy_seresnet152",
    "seresnext5032x4d": "legacy_seresnext50_32x4d", "seresnext10132x4d": "legacy_seresnext101_32x4d",
    "senet154": "legacy_senet154", "xception": "legacy_xception",
}  # fmt: skip


def candidates(named: str) -> list[str]:
    """``torchvision/NAME`` and ``timm/NAME``, the likelier first; both only where the name says neither. A class of
    transformers has its library before it, since a file ``config.json`` belongs to it.

    Case, hyphens, underscores and dots do not count; the tag of timm's weights (``resnet18.a1_in1k``) says nothing of
    the network. Raises InputFailure ``model-architecture-unknown`` with the names that are nearest.
    """
    library, name = _split(named)
    found: list[str] = []
    if _NAME.fullmatch(name):
        libraries = (library,) if library else (TIMM,) if _tagged(name) else (TORCHVISION, TIMM)
        found = [f"{each}/{known}" for each in libraries if (known := _known(each, name))]
        if library in {None, TIMM} and (alias := _ALIASES.get(_key(name))) in _names(TIMM):
            found.append(f"{TIMM}/{alias}")
    if not found:
        raise ARCHITECTURE_UNKNOWN.failure(name=repr(named), nearest=_nearest(library, name))
    return found


def _split(named: str) -> tuple[str | None, str]:
    if hub := _HUB.match(named):
        return TIMM, named[hub.end() :]
    if own := _LIBRARY.match(named):
        return (own[1] or own[2]).lower(), named[own.end() :]
    return None, named


def _tagged(name: str) -> bool:
    base, dot, _ = name.partition(".")
    return bool(dot) and bool(_known(TIMM, base))


def _known(library: str, name: str) -> str | None:
    names, by_key = _names(library), _by_key(library)
    if name in names:
        return name
    if library == TIMM and "." in name:
        return _known(library, name.partition(".")[0])
    plain = name.lower().replace("-", "_")
    return plain if plain in names else by_key.get(_key(name))


@cache
def _names(library: str) -> frozenset[str]:
    if library == TORCHVISION:
        return frozenset(torchvision.models.list_models(module=torchvision.models))
    if library == TRANSFORMERS:
        return transformers_networks.names()
    if not find_spec("timm"):
        return frozenset()
    import timm  # noqa: PLC0415 - an extra

    return frozenset(timm.list_models())


@cache
def _by_key(library: str) -> dict[str, str]:
    """Where two names differ in nothing that counts, neither can be had but by its own spelling."""
    keys: dict[str, str] = {}
    twice = set()
    for name in _names(library):
        key = _key(name)
        if key in keys:
            twice.add(key)
        keys[key] = name
    return {key: name for key, name in keys.items() if key not in twice}


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _nearest(library: str | None, name: str) -> str:
    last = _key(name[:_LONGEST])
    if "/" in name and last not in _by_key(library or TORCHVISION):
        last = _key(name[:_LONGEST].rpartition("/")[2])
    near: list[str] = []
    for each in (library,) if library else (TORCHVISION, TIMM):
        keys = _by_key(each)
        starting = sorted((key for key in keys if last and key.startswith(last)), key=lambda key: (len(key), key))
        close = get_close_matches(last, keys, n=_SUGGESTIONS, cutoff=0.75)
        prefix = "" if each == TORCHVISION else f"{each}/"
        near += [prefix + keys[key] for key in dict.fromkeys(close + starting)][:_SUGGESTIONS]
    return f"Did you mean {', '.join(near[:_SUGGESTIONS])}?" if near else _known_words(library)


def _known_words(library: str | None) -> str:
    if library == TRANSFORMERS:
        listed = sorted(_names(TRANSFORMERS))
        known = f"Known of transformers are {', '.join(listed)}."
        return known if listed else "Workers have no transformers installed: the extra salience-audit[transformers]."
    return "Known are torchvision's classification networks" + (" and timm's." if find_spec("timm") else ".")

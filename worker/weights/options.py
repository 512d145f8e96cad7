"""Arguments of an architecture's builder that no tensor shows: which there are, and what published weights used."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from torch import nn

from app.errors import InputFailure

Options = Mapping[str, Any]
Maker = Callable[..., nn.Module]

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
HALVES = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
_TRANSFORMING = frozenset({"inception_v3", "googlenet"})
"""Torchvision's ports of TensorFlow's networks: their published weights turn ImageNet's range into [-1, 1] within."""
_DECIDED_ELSEWHERE = re.compile(
    r"self|num_classes|aux_logits|init_weights|weight_init|device|dtype|pretrained.*|weights"
)
_PLAIN = re.compile(r"\b(?:bool|int|float|str|Literal|LayerType)\b")
_SAME = {"img_size": ("img_size", "image_size", "input_size")}
"""What torchvision calls otherwise than timm."""
_WORD = re.compile(r"[a-z0-9_]{0,40}")
_LARGEST, _LONGEST = 4096, 8
ITS_ERRORS = (TypeError, ValueError, AssertionError, LookupError, ArithmeticError, RuntimeError, AttributeError)
"""What builders raise where they cannot make a network of their arguments."""


def with_options(make: Maker, architecture: str, options: Options) -> Maker:
    """The maker with these options set, which it is tried with.

    Raises InputFailure ``architecture-options-invalid`` naming the option, and the ones that there are.
    """
    if not options:
        return make
    known = allowed_options(make(2))
    arguments = {_argument(name, known, architecture): value for name, value in options.items()}
    for name, value in options.items():
        if not _is_plain(value):
            words = f"true or false, a number up to {_LARGEST}, a lower-case name, or a short list of numbers"
            raise _invalid(architecture, f"the option {name[:60]!r} is not {words}")
    if arguments.get("in_chans", 3) not in {1, 3}:
        raise _invalid(architecture, "images come as three channels, or grey as one (in_chans)")
    if isinstance(arguments.get("input_size"), int):
        arguments["input_size"] = (arguments["input_size"],) * 2
    made = partial(make, **arguments)
    try:
        made(2)
    except ITS_ERRORS as error:
        raise _invalid(architecture, f"its builder refuses them: {str(error)[:200]}") from error
    return made


def allowed_options(network: nn.Module) -> tuple[str, ...]:
    """Read off the signature of the network's class: arguments that are plain values, and are not decided elsewhere."""
    parameters = inspect.signature(type(network)).parameters
    return tuple(
        name for name, one in parameters.items() if not _DECIDED_ELSEWHERE.fullmatch(name) and _takes_plain(one)
    )


def published_options(
    architecture: str, given: Options, unit_range: tuple[Sequence[float], Sequence[float]]
) -> dict[str, tuple[Any, str]]:
    """Values, with why, of options that were not given and change what the network computes.

    ``unit_range``: mean and deviation of levels from 0 to 1.
    """
    name = architecture.removeprefix("torchvision/")
    if name not in _TRANSFORMING or "transform_input" in given:
        return {}
    if _close(unit_range, HALVES):
        note = "The images come in the range that published weights make of them within the network."
        return {"transform_input": (False, note)}
    note = f"As in torchvision's published weights of {name}, from which most are fine-tuned."
    return {"transform_input": (True, note)}


def shown_options(network: nn.Module, given: Options) -> dict[str, tuple[Any, str]]:
    """Values that the architecture's own configuration gave to options that no tensor shows."""
    pool = _pool_of(network) if "global_pool" in allowed_options(network) and "global_pool" not in given else None
    return {} if pool is None else {"global_pool": (pool, "As in the architecture's published configuration.")}


def _pool_of(network: nn.Module) -> str | None:
    own = getattr(network, "global_pool", None)
    if isinstance(own, str):
        return own
    kinds = {part.pool_type for part in network.modules() if isinstance(getattr(part, "pool_type", None), str)}
    return str(kinds.pop()) if len(kinds) == 1 else None


def _close(one: tuple[Sequence[float], Sequence[float]], other: tuple[Sequence[float], Sequence[float]]) -> bool:
    """Of mean and deviation."""
    given, wanted = ((*mean, *std) for mean, std in (one, other))
    return len(given) == len(wanted) and all(abs(a - b) < 0.02 for a, b in zip(given, wanted, strict=True))


def _takes_plain(parameter: inspect.Parameter) -> bool:
    default = parameter.default
    if isinstance(default, bool | int | float | str):
        return True
    named = bool(_PLAIN.search(str(parameter.annotation).replace("typing.", "")))
    return (named and not inspect.isroutine(default)) or parameter.name in {"act_layer", "img_size", "image_size"}


def _is_plain(value: object) -> bool:
    if isinstance(value, bool):
        return True
    if isinstance(value, int):
        return 0 <= value <= _LARGEST
    if isinstance(value, float):
        return abs(value) <= _LARGEST
    if isinstance(value, str):
        return _WORD.fullmatch(value) is not None
    return isinstance(value, list | tuple) and len(value) <= _LONGEST and all(_is_number(one) for one in value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) <= _LARGEST


def _argument(name: str, known: Sequence[str], architecture: str) -> str:
    for argument in _SAME.get(name, (name,)):
        if argument in known:
            return argument
    raise _invalid(architecture, f"it has no option {name[:60]!r}. It has: {', '.join(known) or 'none'}")


def _invalid(architecture: str, what: str) -> InputFailure:
    detail = f"architecture_options of {architecture[:200]!r}: {what}."
    return InputFailure("architecture-options-invalid", detail)

"""Options that belong together, as a dataclass: each of its fields is an option of every command that takes it."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from inspect import Parameter
from typing import Any, get_type_hints


def with_bundles(command: Callable[..., None]) -> Callable[..., None]:
    """Typer knows functions only, and reads their signature: it gets one in which the bundles are taken apart."""
    signature = inspect.signature(command, eval_str=True)
    annotated: list[tuple[str, type[Any]]] = [(one.name, one.annotation) for one in signature.parameters.values()]
    bundles = {name: kind for name, kind in annotated if is_dataclass(kind)}
    single = [one.replace(kind=Parameter.KEYWORD_ONLY) for one in signature.parameters.values()]
    parts = [part for kind in bundles.values() for part in _options(kind)]
    parameters = [*(one for one in single if one.name not in bundles), *parts]

    @functools.wraps(command)
    def expanded(**values: Any) -> None:
        built = {
            name: kind(**{field.name: values.pop(field.name) for field in fields(kind)})
            for name, kind in bundles.items()
        }
        command(**values, **built)

    expanded.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    expanded.__annotations__ = {one.name: one.annotation for one in parameters}
    return expanded


def _options(bundle: type[Any]) -> list[Parameter]:
    hints = get_type_hints(bundle, include_extras=True)
    return [
        Parameter(
            field.name,
            Parameter.KEYWORD_ONLY,
            default=Parameter.empty if field.default is MISSING else field.default,
            annotation=hints[field.name],
        )
        for field in fields(bundle)
    ]

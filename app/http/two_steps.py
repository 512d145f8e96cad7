"""A file comes in by two steps; whoever takes them for one is told both.

Routes say in their dependencies which of the steps they are, as they say which scope they need.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fastapi import Depends
from fastapi.routing import APIRoute

from app.errors import MethodNotAllowed


@dataclass(frozen=True)
class FirstStep:
    """Of a route that describes what a file will be of; ``fields`` of its JSON are what a newcomer is told."""

    fields: str

    async def __call__(self) -> None:
        """Nothing is asked of the request."""


@dataclass(frozen=True)
class SecondStep:
    """Of a route below it that takes the file itself."""

    async def __call__(self) -> None:
        """Nothing is asked of the request."""


def first_step(fields: str) -> Any:
    """For the dependencies of a route."""
    return Depends(FirstStep(fields))


SECOND_STEP: Any = Depends(SecondStep())


@dataclass(frozen=True)
class TwoSteps:
    """The words for both, by the paths of first steps, and the paths of second ones with their first."""

    words: dict[str, str]
    contents: tuple[tuple[re.Pattern[str], str], ...]

    @classmethod
    def of(cls, routes: Iterable[APIRoute]) -> "TwoSteps":
        """Raises ValueError for a second step without a first."""
        steps = [(route, one.dependency) for route in routes for one in route.dependencies]
        words = {route.path: _words(route.path, step.fields) for route, step in steps if isinstance(step, FirstStep)}
        contents = [(route, _first_of(route)) for route, step in steps if isinstance(step, SecondStep)]
        for route, first in contents:
            if first not in words:
                raise ValueError(f"The route {route.path} is a second step without a first.")
        return cls(words, tuple((route.path_regex, first) for route, first in contents))

    def refuse_posted_file(self, method: str, path: str) -> None:
        """Before its body is read. Raises MethodNotAllowed."""
        words = self._told_of_content(path)
        if method == "POST" and words:
            raise MethodNotAllowed(f"PUT the file to this address.{words}", "PUT")

    def told(self, path: str) -> str:
        """What to do instead, for what came to the wrong step; empty anywhere else."""
        return f" {self.words[path]}" if path in self.words else self._told_of_content(path)

    def _told_of_content(self, path: str) -> str:
        return next((f" {self.words[first]}" for pattern, first in self.contents if pattern.match(path)), "")


def _first_of(route: APIRoute) -> str:
    """``/v1/models/{model_id}/content`` -> ``/v1/models``."""
    return route.path.partition("/{")[0]


def _words(path: str, fields: str) -> str:
    return (
        f"A file comes in by two steps: POST {path} with JSON ({{{fields}}}), "
        "then PUT the file itself, and nothing else, to the answer's content_url."
    )

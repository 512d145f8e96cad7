"""The addresses of versions: ``models:/NAME/VERSION`` and ``models:/NAME@ALIAS``."""

import re
from dataclasses import dataclass

_FORM = re.compile(r"models:/(?P<name>[^/@]{1,250})(?:/(?P<version>[0-9]{1,18})|@(?P<alias>[A-Za-z0-9_.-]{1,250}))")


@dataclass(frozen=True)
class ModelUri:
    """One of ``version`` and ``alias`` is set."""

    name: str
    version: str | None
    alias: str | None

    @classmethod
    def read(cls, text: str) -> "ModelUri":
        """Raises ValueError."""
        found = _FORM.fullmatch(text)
        if found is None:
            raise ValueError("a version is named as models:/NAME/VERSION or models:/NAME@ALIAS")
        return cls(found["name"], found["version"], found["alias"])

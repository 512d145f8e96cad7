"""``DIR/server.json`` and ``DIR/parts.json``: how programs on this machine find a running service and its parts."""

import json
import os
from pathlib import Path

from app.settings import Settings, named_in_environment


class ServerFile:
    """Written, readable by its owner alone, when the service is ready; removed when it stops."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "server.json"

    def write(self, url: str, api_key: str | None) -> None:
        """``api_key`` is this machine's own; None where it has none."""
        _write(self.path, {"url": url, "api_key": api_key})

    def read(self) -> dict[str, str | None]:
        """What the running service wrote."""
        document: dict[str, str | None] = json.loads(self.path.read_text(encoding="utf-8"))
        return document

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)


class PartsFile:
    """The environment of a running service's parts (addresses with passwords), readable by its owner alone."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "parts.json"

    def write(self, environment: dict[str, str]) -> None:
        _write(self.path, environment)

    def read(self) -> dict[str, str]:
        """Empty where no service runs."""
        if not self.path.exists():
            return {}
        document: dict[str, str] = json.loads(self.path.read_text(encoding="utf-8"))
        return document

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)


def settings_of(data: Path) -> Settings:
    """Those of the service that runs in the folder, but for what the environment names. Raises ValidationError."""
    named = {name.lower(): value for name, value in PartsFile(data).read().items() if not named_in_environment(name)}
    return Settings.model_validate({**Settings().model_dump(), **named})


def _write(path: Path, document: object) -> None:
    """Replace the file in one step, so that a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".tmp")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(document, file)
    draft.replace(path)

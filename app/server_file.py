"""``DIR/server.json``: how programs on this machine find a running service."""

import json
import os
from pathlib import Path


class ServerFile:
    """Written, readable by its owner alone, when the service is ready; removed when it stops."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "server.json"

    def write(self, url: str) -> None:
        """Replace the file in one step, so that a reader never sees half of it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".tmp")
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({"url": url, "api_key": None}, file)
        draft.replace(self.path)

    def read(self) -> dict[str, str | None]:
        """What the running service wrote."""
        document: dict[str, str | None] = json.loads(self.path.read_text(encoding="utf-8"))
        return document

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)

"""One score's image with its salience map over it."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from salience_audit.shown import fields_table

SHOWN = ("sample", "label", "predicted_label", "source", "model", "measure", "view", "score", "control")


@dataclass(frozen=True)
class Picture:
    """``png`` is the map in colour over the image of ``row``, a sample's score; notebooks show both."""

    row: Mapping[str, Any]
    png: bytes = field(repr=False)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the PNG. Raises OSError."""
        Path(path).write_bytes(self.png)

    def _repr_html_(self) -> str:
        image = f'<img alt="salience map" src="data:image/png;base64,{b64encode(self.png).decode()}">'
        return image + fields_table("Score", {name: self.row.get(name) for name in SHOWN})

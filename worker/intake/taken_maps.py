"""The maps of a set as they are taken: their numbers in one blob, and what they add up to."""

import hashlib
import zlib
from collections import Counter
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from app.domain.audits.changed_images import digest_of_map
from app.domain.refusals.maps import OTHER_CLEAN_MAP
from app.domain.vocabulary import CLEAN, SampleStatus
from app.imaging.compression import DEFLATED
from app.storage.writing import BlobWriter
from worker.wire.facts import MapFacts

Key = tuple[str, str]
"""The name of a sample, and a view of it."""


@dataclass
class TakenMaps:
    """``beside`` is a thread: numbers are packed there while their digest is made, which together take as long as it
    takes to draw the next map."""

    writer: BlobWriter
    beside: Executor
    maps: dict[Key, tuple[str, str]] = field(default_factory=dict)
    """What each was called, and the digest of its numbers."""
    followed: dict[Key, str] = field(default_factory=dict)
    """Digests of the clean maps by which images were changed."""
    facts: Counter[str] = field(default_factory=Counter)
    largest_cells: int = 0

    def add(self, facts: MapFacts, content: bytes, key: Key, clean_map: str | None) -> dict[str, Any]:
        """Where its numbers lie from now on, as columns of its row."""
        packing = self.beside.submit(_packed, content)
        self.maps[key] = facts.name, digest_of_map(content)
        if clean_map is not None:
            self.followed[key] = clean_map
        self._count(facts, content)
        packed, offset = packing.result(), self.writer.size
        self.writer.write(packed)
        return {
            "status": SampleStatus.READY,
            "height": facts.height,
            "width": facts.width,
            "fixations": None if facts.fixations is None else list(facts.fixations),
            "offset": offset,
            "stored_size": len(packed),
            "size": len(content),
            "compression": DEFLATED,
            "crc32": facts.crc32,
        }

    def digest(self) -> str:
        """Over samples, views and numbers, in order."""
        made = hashlib.sha256()
        for (sample, view), (_, content) in sorted(self.maps.items()):
            made.update(f"{sample}\0{view}\0".encode() + bytes.fromhex(content.removeprefix("sha256:")))
        return f"sha256:{made.hexdigest()}"

    def views(self) -> list[str]:
        """Clean first."""
        return sorted({view for _, view in self.maps}, key=lambda view: (view != CLEAN, view))

    def check_followed(self) -> None:
        """Raises InputFailure ``map-of-another-clean-map``. Where a sample has no clean map nothing is scored."""
        others = [
            key for key, digest in self.followed.items() if self.maps.get((key[0], CLEAN), ("", digest))[1] != digest
        ]
        if others:
            name, view = others[0]
            raise OTHER_CLEAN_MAP.failure(name=repr(name), view=view, count=len(others))

    def _count(self, facts: MapFacts, content: bytes) -> None:
        self.largest_cells = max(self.largest_cells, (facts.height or 0) * (facts.width or 0))
        self.facts["fixations"] += facts.fixations is not None
        self.facts["negative"] += facts.was_negative
        self.facts["larger"] += facts.was_larger
        self.facts["constant"] += not np.frombuffer(content, np.uint8).any()
        if facts.doubt is not None:
            self.facts[facts.doubt] += 1


def _packed(content: bytes) -> bytes:
    squeezer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    return squeezer.compress(content) + squeezer.flush()

"""The maps of a set as they are taken: their numbers in one blob, and what they add up to."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import zstandard

from app.domain.audits.changed_images import digest_of_map
from app.domain.refusals.maps import OTHER_CLEAN_MAP
from app.domain.vocabulary import CLEAN, SampleStatus
from app.imaging.compression import ZSTANDARD
from app.storage.writing import BlobWriter
from worker.wire.facts import MapFacts

Key = tuple[str, str]
"""The name of a sample, and a view of it."""


_LEVEL = 1
"""Of Zstandard: a map of 640 x 480 cells takes 0.3 ms where it is a mask and 2 ms where it is a density; deflate, which
takes 2 and 50, makes more bytes of either."""


@dataclass
class TakenMaps:
    """Of one map set."""

    writer: BlobWriter
    maps: dict[Key, tuple[str, str]] = field(default_factory=dict)
    """What each was called, and the digest of its numbers."""
    followed: dict[Key, str] = field(default_factory=dict)
    """Digests of the clean maps by which images were changed."""
    facts: Counter[str] = field(default_factory=Counter)
    largest_cells: int = 0
    _packing: zstandard.ZstdCompressor = field(default_factory=lambda: zstandard.ZstdCompressor(level=_LEVEL))

    def add(self, facts: MapFacts, content: bytes, key: Key, clean_map: str | None) -> dict[str, Any]:
        """Where its numbers lie from now on, as columns of its row."""
        self.maps[key] = facts.name, digest_of_map(content)
        if clean_map is not None:
            self.followed[key] = clean_map
        self._count(facts, content)
        # A copy: what the library gives holds all the memory that it took in advance, and the writer keeps it a while.
        packed, offset = bytes(memoryview(self._packing.compress(content))), self.writer.size
        self.writer.write(packed)
        return {
            "status": SampleStatus.READY,
            "height": facts.height,
            "width": facts.width,
            "fixations": None if facts.fixations is None else list(facts.fixations),
            "offset": offset,
            "stored_size": len(packed),
            "size": len(content),
            "compression": ZSTANDARD,
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

    def samples(self) -> Iterator[str]:
        """Those that have a map of their own image."""
        return (sample for sample, view in self.maps if view == CLEAN)

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

"""An audit's changed images as an archive, for systems that make their maps elsewhere; and the maps that come back."""

import hashlib
import json
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from app.domain.measures import DEGRADATION, GEOMETRIC_RESILIENCE, view_families
from app.domain.measures.degradation import DegradationSettings
from app.domain.models.input_spec import InputSpec
from app.domain.protocol import Protocol
from app.domain.views.families import family_of
from app.domain.vocabulary import CLEAN


class Needs(StrEnum):
    """What images are made of: of the sample's image alone, or of its clean map as well."""

    IMAGES = "images"
    MAPS = "maps"


MANIFESTS = {needs: f"views-{needs}.jsonl" for needs in Needs}
"""A line an image (`ManifestLine`). Both archives of an audit fit into one folder."""


class Origin(NamedTuple):
    """What an archive's images are made of: ``made`` is the digest of what a protocol decides about their bits
    (`made_by`), ``dataset`` that of the data set."""

    made: str
    dataset: str


class Shown(NamedTuple):
    """An image of an archive: the view, the sample's position within its data set, its name and its label."""

    view: str
    position: int
    sample: str
    label: str | None


class ManifestLine(BaseModel):
    """An image of an archive: where it lies, what it is, and where its map belongs in what is sent back.

    ``clean_map`` is the digest of the clean map that decided about its bits (`digest_of_map`), None where none did.
    """

    model_config = ConfigDict(frozen=True)

    path: str
    view: str
    sample: str
    label: str | None
    map: str
    made: str
    dataset: str
    clean_map: str | None

    @classmethod
    def of(cls, shown: Shown, origin: Origin, clean_map: str | None = None) -> "ManifestLine":
        return cls(
            path=image_path(shown.view, shown.position),
            view=shown.view,
            sample=shown.sample,
            label=shown.label,
            map=f"maps/{shown.view}/{shown.position:06}.npy",
            made=origin.made,
            dataset=origin.dataset,
            clean_map=clean_map,
        )


def image_path(view: str, position: int) -> str:
    """Within an archive, of the sample at that position of its data set."""
    return f"images/{view}/{position:06}.png"


def digest_of_map(cells: bytes) -> str:
    """Of a clean map as it is stored, float32, row by row."""
    return f"sha256:{hashlib.sha256(cells).hexdigest()}"


def handed_out(views: Iterable[str], needs: Needs) -> tuple[str, ...]:
    """Those of an archive, in the order of each sample's images: with those of images alone comes the clean one."""
    wanted = tuple(name for name in views if needs_of(name) == needs)
    return wanted if needs == Needs.MAPS else (CLEAN, *wanted)


def needs_of(view: str) -> Needs:
    """Of a view that changes images."""
    family = family_of(view, view_families())
    return Needs.MAPS if family is not None and family.follow_maps else Needs.IMAGES


def is_handed_out(view: str) -> bool:
    """Whether there may be an image of it."""
    return view == CLEAN or family_of(view, view_families()) is not None


def made_by(protocol: Protocol, spec: InputSpec) -> str:
    """A digest of what decides about the images' bits: maps of images that were made otherwise say nothing here."""
    geometry = GEOMETRIC_RESILIENCE.settings_in(protocol.measures)
    degradation = DEGRADATION.settings_in(protocol.measures) or DegradationSettings()
    facts = {
        "seed": protocol.seed,
        "shift_pixels": geometry and geometry.shift_pixels,
        "degradation": degradation.model_dump(mode="json"),
        "spec": list(spec),
    }
    return f"sha256:{hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()}"

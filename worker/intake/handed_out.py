"""Maps of images that an audit handed out: the manifests that came with the images say of which each map is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from posixpath import splitext
from typing import NamedTuple, Self

from pydantic import ValidationError

from app.domain.changed_images import MANIFESTS, ManifestLine, is_handed_out
from app.domain.map_refusals import MANIFEST_LINE, MANIFEST_MISSING
from app.imaging.entries import ArchiveEntry
from app.imaging.kinds import promised_kind
from worker.map_files.endings import ARRAY, file_of
from worker.map_files.sample_names import Named, SampleNames


class Place(NamedTuple):
    """Of which image a map is."""

    sample: Named
    view: str


@dataclass
class HandedOut:
    """By path, without ending."""

    places: dict[str, Place] = field(default_factory=dict)
    images: set[str] = field(default_factory=set)
    """Paths of the images themselves, which are no maps."""
    made: str | None = None
    """How the images were made."""

    @classmethod
    def read(
        cls, entries: list[ArchiveEntry], content_of: Callable[[ArchiveEntry], bytes], samples: SampleNames
    ) -> Self:
        """Raises InputFailure ``map-manifest-missing`` and ``map-manifest-invalid``."""
        found, manifests = cls(), [entry for entry in entries if is_manifest(entry.name)]
        if not manifests:
            raise MANIFEST_MISSING.failure()
        if len({file_of(entry.name) for entry in manifests}) < len(manifests):
            raise MANIFEST_LINE.failure(line=1, name=manifests[-1].name, what="there is another manifest of its name")
        for entry in manifests:
            found._add(entry.name, content_of(entry), samples.by_name)
        return found

    def find(self, name: str) -> Place | None:
        """Of a file, or of an array of an ``.npz`` by the path alone."""
        has_ending = name.casefold().endswith(ARRAY) or promised_kind(name) is not None
        return self.places.get(splitext(name)[0] if has_ending else name)

    def is_map(self, entry: ArchiveEntry) -> bool:
        return not is_manifest(entry.name) and entry.name not in self.images

    def _add(self, manifest: str, content: bytes, samples: Mapping[str, Named]) -> None:
        root = manifest.rpartition("/")[0]
        for number, line in enumerate(content.splitlines(), start=1):
            told = _line(manifest, number, line)
            if self.made not in {None, told.made}:
                what = "its image was made by another protocol than those before it"
                raise MANIFEST_LINE.failure(line=number, name=manifest, what=what)
            self.made = told.made
            self.images.add(f"{root}/{told.path}".lstrip("/"))
            sample = samples.get(told.sample)
            if sample is not None:
                self.places[splitext(f"{root}/{told.map}".lstrip("/"))[0]] = Place(sample, told.view)


def is_manifest(name: str) -> bool:
    return file_of(name) in MANIFESTS.values()


def _line(manifest: str, number: int, line: bytes) -> ManifestLine:
    try:
        told = ManifestLine.model_validate_json(line)
    except ValidationError as error:
        raise MANIFEST_LINE.failure(line=number, name=manifest, what="it is not as it was handed out") from error
    if not is_handed_out(told.view):
        raise MANIFEST_LINE.failure(line=number, name=manifest, what=f"there is no view {told.view!r}")
    return told

"""Maps of images that an audit handed out: the manifests that came with the images say of which each map is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from posixpath import splitext
from typing import NamedTuple, Self

from pydantic import ValidationError

from app.domain.audits.changed_images import MANIFESTS, ManifestLine, Needs, is_handed_out, needs_of
from app.domain.refusals.maps import MANIFEST_LINE, MANIFEST_MISSING
from app.imaging.entries import ArchiveEntry
from app.imaging.kinds import promised_kind
from worker.map_files.endings import ARRAY, file_of
from worker.map_files.sample_names import Named, SampleNames

_SHOWN = 24
"""Of a digest."""


class Place(NamedTuple):
    """Of which image a map is."""

    sample: Named
    view: str
    clean_map: str | None = None
    """The digest of the clean map by which that image was changed."""


@dataclass
class HandedOut:
    """By path, without ending; of images of the data set with that digest."""

    dataset: str
    places: dict[str, Place] = field(default_factory=dict)
    images: set[str] = field(default_factory=set)
    """Paths of the images themselves, which are no maps."""
    made: str | None = None
    """How the images were made."""
    _maps: set[str] = field(default_factory=set)
    """Paths that lines told of, without ending."""

    @classmethod
    def read(
        cls,
        entries: list[ArchiveEntry],
        content_of: Callable[[ArchiveEntry], bytes],
        samples: SampleNames,
        dataset: str,
    ) -> Self:
        """Raises InputFailure ``map-manifest-missing`` and ``map-manifest-invalid``."""
        found, manifests = cls(dataset), [entry for entry in entries if is_manifest(entry.name)]
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
            its_map = splitext(f"{root}/{told.map}".lstrip("/"))[0]
            if (what := self._wrong(told, its_map)) is not None:
                raise MANIFEST_LINE.failure(line=number, name=manifest, what=what)
            self.made = told.made
            self.images.add(f"{root}/{told.path}".lstrip("/"))
            self._maps.add(its_map)
            sample = samples.get(told.sample)
            if sample is not None:
                self.places[its_map] = Place(sample, told.view, told.clean_map)

    def _wrong(self, told: ManifestLine, its_map: str) -> str | None:
        """With a line that comes after those that were taken."""
        if told.dataset != self.dataset:
            of, own = told.dataset[:_SHOWN], self.dataset[:_SHOWN]
            return f"its image is of the data set {of}..., and the map set is of {own}..."
        if self.made not in {None, told.made}:
            return "its image was made by another protocol than those before it"
        if its_map in self._maps:
            return f"a line before it has the map {told.map!a} as well"
        return None


def is_manifest(name: str) -> bool:
    return file_of(name) in MANIFESTS.values()


def _line(manifest: str, number: int, line: bytes) -> ManifestLine:
    try:
        told = ManifestLine.model_validate_json(line)
    except ValidationError as error:
        raise MANIFEST_LINE.failure(line=number, name=manifest, what="it is not as it was handed out") from error
    if not is_handed_out(told.view):
        raise MANIFEST_LINE.failure(line=number, name=manifest, what=f"there is no view {told.view!r}")
    if (needs_of(told.view) is Needs.MAPS) != (told.clean_map is not None):
        what = f"it says {told.clean_map!a} of the clean map by which its image was changed"
        raise MANIFEST_LINE.failure(line=number, name=manifest, what=what)
    return told

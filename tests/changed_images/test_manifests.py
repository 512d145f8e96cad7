"""Of which image a map is that was sent back: by the manifests that came with the images, and by nothing else."""

from uuid import uuid4

import pytest

from app.domain.audits.changed_images import ManifestLine, Origin, Shown, digest_of_map, made_by
from app.domain.models.input_size import size_of
from app.domain.models.input_spec import InputSpec
from app.domain.protocol import ProtocolRequest
from app.errors import InputFailure
from app.imaging.entries import ArchiveEntry
from worker.intake.handed_out import HandedOut
from worker.map_files.sample_names import Named, SampleNames

CAT, DOG = (Named(name, uuid4(), 300, 200) for name in ("a/000001.png", "b/000007.png"))
SAMPLES = SampleNames([CAT, DOG])
MADE, DATASET = "sha256:1", "sha256:d"
FOLLOWED = digest_of_map(b"a clean map")


def line(view: str, position: int, sample: str, **origin: str) -> str:
    clean_map = FOLLOWED if view == "salience_removed" else None
    told = Origin(**({"made": MADE, "dataset": DATASET} | origin))
    return ManifestLine.of(Shown(view, position, sample, None), told, clean_map).model_dump_json() + "\n"


def read(*names: str, **manifests: str) -> HandedOut:
    """Of an upload with these files, and manifests by ``images`` and ``maps``."""
    texts = {f"up/views-{name}.jsonl": text for name, text in manifests.items()}
    entries = [ArchiveEntry(name, 0, 1, 1) for name in (*texts, *names)]
    return HandedOut.read(entries, lambda entry: texts[entry.name].encode(), SAMPLES, DATASET)


def test_maps_are_told_by_both_manifests() -> None:
    """Not by their file's name, which is that of another sample here."""
    found = read(
        images=line("clean", 7, CAT.name) + line("noise@0.05", 7, CAT.name),
        maps=line("salience_removed", 1, DOG.name) + line("salience_removed", 2, "gone.png"),
    )
    assert found.find("up/maps/clean/000007.npy") == (CAT, "clean", None)
    assert found.find("up/maps/noise@0.05/000007.PNG") == (CAT, "noise@0.05", None)
    assert found.find("up/maps/salience_removed/000001.npy") == (DOG, "salience_removed", FOLLOWED)
    assert found.find("up/maps/salience_removed/000002.npy") is None
    assert found.find("up/000007.npy") is None
    assert found.made == MADE
    names = ("up/images/clean/000007.png", "up/maps/clean/000007.npy", "up/views-maps.jsonl")
    assert [found.is_map(ArchiveEntry(name, 0, 1, 1)) for name in names] == [False, True, False]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{}\n", "it is not as it was handed out"),
        (line("upside_down", 1, CAT.name), "there is no view 'upside_down'"),
        (
            line("clean", 1, CAT.name) + line("noise@0.1", 1, CAT.name, made="sha256:2"),
            "by another protocol",
        ),
        (
            line("clean", 1, CAT.name, dataset="sha256:e"),
            "of the data set sha256:e..., and the map set is of sha256:d",
        ),
        (
            line("clean", 1, CAT.name) + line("clean", 1, DOG.name),
            "Line 2 .* has the map 'maps/clean/000001.npy' as well",
        ),
        (line("salience_removed", 1, CAT.name).replace(f'"{FOLLOWED}"', "null"), "it says None of the clean map"),
    ],
)
def test_a_manifest_that_was_changed_is_refused(text: str, why: str) -> None:
    with pytest.raises(InputFailure, match=why) as refused:
        read(images=text)
    assert refused.value.code == "map-manifest-invalid"


def test_maps_without_a_manifest_are_refused() -> None:
    with pytest.raises(InputFailure, match="no views-images") as refused:
        read("up/maps/clean/000007.npy")
    assert refused.value.code == "map-manifest-missing"


def test_images_are_told_apart_by_how_they_were_made() -> None:
    """By what changes their bits, and not by which of them a protocol asks for."""
    spec = InputSpec(size_of(224))

    def made(**asked: object) -> str:
        return made_by(ProtocolRequest.model_validate(asked).resolve(), spec)

    assert made() == made(measures={"entropy": {}}) == made(micro_batch=4)
    others = [
        made(seed=1),
        made(measures={"geometric_resilience": {"shift_pixels": 3}}),
        made(measures={"degradation": {"curve": 1}}),
        made_by(ProtocolRequest().resolve(), spec._replace(size=size_of(96))),
    ]
    assert len({made(), *others}) == 5

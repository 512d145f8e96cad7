"""Every archive and image of the corpus gets its code; good ones are indexed."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable

import pytest
from PIL import Image

from app.domain.vocabulary import ResourceStatus
from app.errors import InputFailure
from app.imaging.entries import ArchiveEntry
from tests.children import open_context
from tests.datasets.hostile_archives import ARCHIVES, SAMPLES_OF_ARCHIVES, tar_of_here
from tests.datasets.hostile_images import IMAGES
from tests.datasets.indexing import index
from tests.datasets.packing import GOOD, make_tar, make_zip, picture
from worker.intake.arrivals import Arrivals
from worker.lifecycle.context import WorkerContext
from worker.supervision.forkserver import Forkserver


@pytest.mark.filterwarnings("error::sqlalchemy.exc.SAWarning")  # of a join that pairs all with all
def test_archives(context: WorkerContext) -> None:
    for name, (make, expected) in ARCHIVES.items():
        dataset, samples = index(context, make())
        found = "ready" if dataset.status == ResourceStatus.READY else (dataset.problem or {})["code"]
        assert found == expected, name
        assert bool(samples) == (found == "ready"), name


@pytest.mark.parametrize("between", [0, 1200])
def test_names_that_are_there_twice_are_told(context: WorkerContext, between: int) -> None:
    """Whether the two are written at once or not."""
    others = {f"b/{number}.png": b"" for number in range(between)}
    doubled = make_zip({"a/\u00e9.png": b"", **others, "a/e\u0301.png": b""})
    problem = index(context, doubled)[0].problem or {}
    assert problem["code"] == "archive-duplicate-entry"
    both = make_zip({"a/b.png": b"", **others, "a/b.png/1.png": b""})
    problem = index(context, both)[0].problem or {}
    assert (problem["code"], "'a/b.png'" in problem["detail"]) == ("archive-duplicate-entry", True)


def test_images(context: WorkerContext) -> None:
    for name, (make, expected) in IMAGES.items():
        dataset, samples = index(context, make_zip({**GOOD, f"c/{name}": make()}))
        assert dataset.status == ResourceStatus.READY, (name, dataset.problem)
        sample = next(sample for sample in samples if sample.name == f"c/{name}")
        assert (sample.problem or {"code": "ready"})["code"] == expected, name
        assert (sample.position is None) == (expected != "ready"), name


@pytest.mark.parametrize("make", SAMPLES_OF_ARCHIVES.values(), ids=SAMPLES_OF_ARCHIVES.keys())
def test_a_wrong_checksum_is_the_samples_problem(context: WorkerContext, make: Callable[[], bytes]) -> None:
    dataset, samples = index(context, make())
    assert (dataset.status, dataset.sample_count, dataset.unreadable_count) == ("ready", 1, 1)
    assert [(sample.problem or {}).get("code") for sample in samples] == ["sample-corrupt", None]


def test_labels_sources_and_positions(context: WorkerContext) -> None:
    names = ["top/b/s1/2.png", "top/a/s2/1.png", "top/a/s1/deep/3.png", "top/c/4.png", "__MACOSX/top/._1.png"]
    dataset, samples = index(context, make_zip({name: picture(n) for n, name in enumerate(names)}))
    assert (dataset.labels, dataset.sources) == (["a", "b", "c"], ["s1", "s2"])
    found = [(sample.name, sample.label, sample.source, sample.position) for sample in samples]
    assert found == [
        ("top/a/s1/deep/3.png", "a", "s1", 0),
        ("top/a/s2/1.png", "a", "s2", 1),
        ("top/b/s1/2.png", "b", "s1", 2),
        ("top/c/4.png", "c", None, 3),
    ]
    assert dataset.notes[:2] == [
        "The top folder 'top/' holds everything and is no label.",
        "1 hidden file was skipped: '__MACOSX/top/._1.png'.",
    ]


def test_notes_on_what_was_skipped_and_what_lies(context: WorkerContext) -> None:
    """A name without an extension, or with one of no image, promises nothing; a broken image is told of by itself."""
    junk = dict.fromkeys(["__MACOSX/", "__MACOSX/a/._1.png", "a/.DS_Store", "a/Thumbs.db"], b"")
    jpeg, true = picture(kind="JPEG"), {"a/1.jpg": picture(kind="JPEG"), "a/2.WEBP": picture(kind="WEBP")}
    lies = {"a/3.png": jpeg, "a/4.JPEG": picture()}
    unsaid = {"a/5": jpeg, "a/6.dat": jpeg, "a.png/jpg": picture(), "a/7.png": b"text"}
    dataset, samples = index(context, make_zip(junk | true | lies | unsaid))
    assert (dataset.status, len(samples)) == ("ready", 8)
    assert dataset.notes[:3] == [
        "2 hidden files were skipped: '__MACOSX/a/._1.png', 'a/.DS_Store'.",
        "1 file of systems and tools was skipped: 'a/Thumbs.db'.",
        "2 images are not of the kinds that their names say.",
    ]
    assert dataset.skipped == {"hidden": 2, "tool-file": 1}
    assert index(context, make_zip({**GOOD, "a/3.bmp": jpeg}))[0].notes[0] == (
        "1 image is not of the kind that its name says."
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("manifest.csv", "path,label,source\nx/2.png,cat,web\nx/1.png,dog,\n"),
        ("manifest.csv", "path,label,source\n./x/2.png,cat,web\n./x/1.png,dog,\n"),
        (
            "manifest.jsonl",
            '{"path": "x/2.png", "label": "cat", "source": "web"}\n{"path": "x/1.png", "label": "dog"}\n',
        ),
    ],
)
def test_manifest(context: WorkerContext, name: str, text: str) -> None:
    entries = {"x/1.png": picture(), "x/2.png": picture(9), "x/unlisted.png": picture(5), name: text.encode()}
    dataset, samples = index(context, make_zip(entries))
    assert dataset.status == ResourceStatus.READY, dataset.problem
    assert [(s.name, s.label, s.source) for s in samples] == [("x/1.png", "dog", None), ("x/2.png", "cat", "web")]


def test_manifest_of_a_mac(context: WorkerContext) -> None:
    """Its letters are taken apart, in the archive and in the manifest; names are kept as others write them."""
    apart, whole = "x/e\u0301.png", "x/\u00e9.png"
    for name in (apart, whole):
        entries = {apart: picture(), "manifest.csv": f"path,label\n{name},a\n".encode()}
        dataset, samples = index(context, make_zip(entries))
        assert dataset.status == ResourceStatus.READY, dataset.problem
        assert [sample.name for sample in samples] == [whole]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("path,label\nx/1.png,a\nx/1.png,b\n", 3),
        ("path,label\nx/1.png,a\n./x/1.png,b\n", 3),
        ("name,label\nx/1.png,a\n", 1),
        ("path,label\nx/1.png\n", 2),
    ],
)
def test_bad_manifest_names_the_line(context: WorkerContext, text: str, line: int) -> None:
    dataset, _ = index(context, make_zip({"x/1.png": picture(), "manifest.csv": text.encode()}))
    assert (dataset.problem or {})["code"] == "manifest-invalid"
    assert f"Line {line} " in (dataset.problem or {})["detail"]


def test_zip_tar_and_gzip_give_one_digest(context: WorkerContext) -> None:
    """The data set's digest is over its samples, whatever carried them."""
    digests = {index(context, make(GOOD))[0].digest for make in (make_zip, make_tar)}
    assert len(digests) == 1
    assert digests.pop() != index(context, make_zip({**GOOD, "b/2.png": picture(7)}))[0].digest


def test_names_from_here_on_are_the_same_names(context: WorkerContext) -> None:
    dataset, samples = index(context, tar_of_here())
    assert [(sample.name, sample.label) for sample in samples] == [("a/1.png", "a"), ("b/2.png", "b")]
    assert dataset.digest == index(context, make_zip(GOOD))[0].digest


def test_too_many_unreadable(context: WorkerContext) -> None:
    bad = {f"a/{n}.png": b"text" for n in range(11)}
    dataset, samples = index(context, make_zip({**GOOD, **bad}))
    assert (dataset.problem or {})["code"] == "dataset-too-many-unreadable"
    assert len(samples) == 12


def test_labels_without_end(context: WorkerContext) -> None:
    """Every answer about a data set holds its labels, so that they may not take megabytes."""
    line = json.dumps({"path": "a/1.png", "label": "x" * 1025})
    dataset, _ = index(context, make_zip({**GOOD, "manifest.jsonl": line.encode()}))
    assert (dataset.problem or {})["code"] == "manifest-invalid"
    folders = {f"{number}{'x' * 900}/1.png": picture() for number in range(1200)}
    dataset, samples = index(context, make_zip(folders))
    assert ((dataset.problem or {})["code"], samples) == ("dataset-too-many-labels", [])


def test_folders_without_end() -> None:
    """They are kept in mind, so their number has an end: that of the entries."""
    layout = Arrivals(max_folders=20)
    entries = [ArchiveEntry(f"{number}/a/b/1.png", 0, 0, 0) for number in range(7)]
    assert len(list(layout.watch(entries[:6]))) == 6
    with pytest.raises(InputFailure) as refused:
        list(layout.watch(entries[6:]))
    assert refused.value.code == "archive-too-many-entries"


def test_digest_is_of_the_bytes(context: WorkerContext) -> None:
    dataset, _ = index(context, make_zip(GOOD))
    assert dataset.content_digest == "sha256:" + hashlib.sha256(make_zip(GOOD)).hexdigest()


def test_an_image_that_ends_its_process_costs_itself_alone(context: WorkerContext, forkserver: Forkserver) -> None:
    """Decoded in the sandbox: here one that needs more memory than there is."""
    large = io.BytesIO()
    Image.new("RGB", (7000, 7000)).save(large, "PNG", compress_level=1)
    entries = {f"a/{number}.png": picture(number) for number in range(9)} | {"a/5.png": large.getvalue()}
    settings = context.settings.model_copy(update={"child_memory_bytes": 100 * 1024**2})
    with open_context(settings, forkserver, "small") as other:
        dataset, samples = index(other, make_zip(entries))
    assert (dataset.status, dataset.sample_count, dataset.unreadable_count) == ("ready", 8, 1)
    (lost,) = (sample for sample in samples if sample.problem)
    assert (lost.name, (lost.problem or {})["code"]) == ("a/5.png", "sample-corrupt")
    assert "memory" in (lost.problem or {})["detail"]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_broken_manifest_costs_the_data_set(context: WorkerContext, method: int) -> None:
    """A wrong checksum or stream there is not some sample's problem."""
    content = make_zip({"manifest.csv": b"path\na/1.png\n", **GOOD}, method)
    place = content.index(b"manifest.csv") + len(b"manifest.csv") + 3
    content = content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]
    dataset, samples = index(context, content)
    assert ((dataset.problem or {})["code"], samples) == ("manifest-invalid", [])

"""Data sets as people have them: each taken as it was meant, and what was assumed is said."""

import gzip
import io
import json
import tarfile
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from app.domain.vocabulary import ResourceStatus
from tests.datasets.indexing import index
from tests.datasets.packing import GOOD, make_tar, make_zip, picture
from worker.intake import tables
from worker.lifecycle.context import WorkerContext

IMAGES = {f"images/{number}.png": picture(10 + 20 * number) for number in range(4)}
Rows = list[tuple[str, str | None, str | None]]


def labels_of(samples: Any) -> dict[str, str | None]:
    return {sample.name.rpartition("/")[2]: sample.label for sample in samples}


def test_splits_are_a_column_and_no_labels(context: WorkerContext) -> None:
    folders = [f"pets/{split}/{label}" for split in ("Train", "test") for label in ("cat", "dog")]
    names = [f"{folder}/{n}.png" for folder in folders for n in range(2)]
    dataset, samples = index(context, make_zip({name: picture(n * 9) for n, name in enumerate(names)}))
    assert (dataset.labels, dataset.sources, dataset.splits) == (["cat", "dog"], [], ["test", "train"])
    found = {(sample.split, sample.label) for sample in samples}
    assert found == {(split, label) for split in ("train", "test") for label in ("cat", "dog")}
    assert len(dataset.notes) >= 2


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("manifest.csv", "\ufeffpath;label\r\nimages/0.png;cat\r\nimages/1.png;dog\r\n".encode()),
        ("manifest.csv", b"sep=;\npath;label\nimages/0.png;cat\nimages/1.png;dog\n"),
        ("manifest.tsv", b"Path\tClass\nimages/0.png\tcat \nimages/1.png\tdog\n"),
        ("manifest.csv", "path,label\r\nimages/0.png,cat\r\nimages/1.png,dog\r\n".encode("utf-16")),
        ("manifest.csv", b"path, label,,\nimages\\0.png, cat,,\nimages\\1.png, dog,,\n"),
        ("manifest.csv", b"file_name,category\nC:\\data\\pets\\images\\0.png,cat\nC:\\data\\pets\\images\\1.png,dog\n"),
        ("manifest.csv", b"image,label\n0.png,cat\n1.png,dog\n"),
        ("manifest.csv", b"image,label\n0,cat\n1,dog\n"),
        ("images/metadata.csv", b"file_name,label\n0.png,cat\n1.png,dog\n"),
        (
            "metadata.jsonl",
            b'{"file_name": "images/0.png", "label": "cat"}\n{"file_name": "images/1.png", "label": "dog"}\n',
        ),
        (
            "manifest.json",
            json.dumps([{"path": f"images/{n}.png", "label": x} for n, x in enumerate(("cat", "dog"))]).encode(),
        ),
        (
            "manifest.json",
            json.dumps(
                {
                    "images": [{"id": n, "file_name": f"{n}.png"} for n in range(2)],
                    "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
                    "annotations": [{"image_id": n, "category_id": n + 1} for n in (0, 1, 1)],
                }
            ).encode(),
        ),
    ],
)
def test_manifests_as_programs_write_them(context: WorkerContext, name: str, data: bytes) -> None:
    dataset, samples = index(context, make_zip({**IMAGES, name: data}))
    assert dataset.status == ResourceStatus.READY, dataset.problem
    assert labels_of(samples) == {"0.png": "cat", "1.png": "dog"}
    assert dataset.skipped == {"not-in-manifest": 2}
    assert any("images/2.png" in note for note in dataset.notes)


def test_manifests_of_pandas_keep_their_further_columns(context: WorkerContext) -> None:
    """With its index, gaps that make floats of whole numbers, and splits."""
    frame = pd.DataFrame({"path": list(IMAGES), "label": [0, 1, None, 1], "camera": ["A", "B", "A", None]})
    frame["split"], frame["cluster"], frame["age"] = (
        ["train", "test", "test", "test"],
        [7, 7, 8, 8],
        [1.5, 2.0, 3.0, 4.0],
    )
    dataset, samples = index(context, make_zip({**IMAGES, "manifest.csv": frame.to_csv().encode()}))
    assert (dataset.labels, dataset.splits) == (["0.0", "1.0"], ["test", "train"])
    assert [sample.groups for sample in samples][:2] == [{"camera": "A", "age": "1.5"}, {"camera": "B", "age": "2.0"}]
    assert [sample.cluster for sample in samples] == ["7", "7", "8", "8"]
    assert (dataset.columns or {})["groups"] == ["camera", "age"]


def test_a_label_a_column(context: WorkerContext) -> None:
    """As competitions of skin lesions have it. It is offered, and used where it is asked for."""
    data = b"image,MEL,NV,BCC,age\n0,1.0,0.0,0.0,40\n1,0,1,0,50\n2,0,0,0,60\n3,1,0,1,70\n"
    untold, _ = index(context, make_zip({**IMAGES, "truth.csv": data}))
    offer = {"file": "truth.csv", "path": "image", "one_hot": ["MEL", "NV", "BCC"]}
    assert (untold.labels, json.dumps(offer) in " ".join(untold.notes)) == ([], True)
    dataset, samples = index(context, make_zip({**IMAGES, "truth.csv": data}), columns=offer)
    assert labels_of(samples) == {"0.png": "MEL", "1.png": "NV", "2.png": "|", "3.png": "MEL|BCC"}, dataset.problem
    assert (samples[0].groups, (dataset.columns or {})["one_hot"]) == ({"age": "40"}, ["MEL", "NV", "BCC"])
    dataset, _ = index(context, make_zip({**IMAGES, "truth.csv": data.replace(b"1.0", b"-1.0")}), columns=offer)
    assert "Line 2 of the manifest: 'MEL' is '-1.0'" in (dataset.problem or {})["detail"]


def test_files_that_only_the_manifest_has_are_their_own_fault(context: WorkerContext) -> None:
    """Wherever they stand in it: how paths are written is found by those that are there."""
    rows = ["C:\\x\\gone.png,cat", "C:\\x\\images\\0.png,cat", "C:\\x\\images\\1.png,dog", "other/2.png,dog"]
    dataset, samples = index(context, make_zip({**IMAGES, "manifest.csv": "\n".join(["path,label", *rows]).encode()}))
    assert dataset.status == ResourceStatus.READY, dataset.problem
    found = {sample.name: (sample.label, (sample.problem or {}).get("code")) for sample in samples}
    missing = {"C:/x/gone.png": ("cat", "sample-missing"), "other/2.png": ("dog", "sample-missing")}
    assert found == {"images/0.png": ("cat", None), "images/1.png": ("dog", None), **missing}
    assert (dataset.sample_count, dataset.unreadable_count) == (2, 2)


def test_a_manifest_of_nothing_that_is_there(context: WorkerContext, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset, samples = index(context, make_zip({**IMAGES, "manifest.csv": b"path,label\nx/a,cat\nx/b,dog\n"}))
    assert (dataset.problem or {})["code"] == "dataset-empty"
    assert "2: The manifest names it, and it is not there." in (dataset.problem or {})["detail"]
    assert [sample.name for sample in samples] == ["x/a", "x/b"]
    monkeypatch.setattr(tables, "_MOST_MISSING", 100)  # each costs three statements
    rows = b"".join(b"x%d,cat\n" % number for number in range(101))
    dataset, samples = index(context, make_zip({**IMAGES, "manifest.csv": b"path,label\n" + rows}))
    assert (dataset.problem or {})["code"] == "manifest-invalid"
    assert (samples, "101 files" in (dataset.problem or {})["detail"]) == ([], True)


@pytest.mark.parametrize(
    ("encoding", "labels"),
    [
        ("cp1252", ("Bär", "Käfer")),
        ("cp1252", ("chêne", "érable")),
        ("cp1250", ("żubr", "łoś")),
        ("cp1251", ("кошка", "собака")),
        ("gb18030", ("猫咪", "小狗")),
        ("cp932", ("ねこ", "いぬ")),
    ],
)
def test_manifests_that_excel_saved_in_a_code_page(
    context: WorkerContext, encoding: str, labels: tuple[str, str]
) -> None:
    text = f"path;label\r\nimages/0.png;{labels[0]}\r\nimages/1.png;{labels[1]}\r\n"
    content = make_zip({**IMAGES, "manifest.csv": text.encode(encoding)})
    untold, _ = index(context, content)
    assert (untold.problem or {})["code"] == "manifest-invalid"
    assert "name_encoding" in (untold.problem or {})["detail"]
    _, samples = index(context, content, name_encoding=encoding)
    assert labels_of(samples) == {"0.png": labels[0], "1.png": labels[1]}


@pytest.mark.parametrize(
    ("columns", "name", "data"),
    [
        ({"file": "train.csv", "path": "id", "label": "breed"}, "train.csv", b"id,breed,path\n0,cat,x\n1,dog,y\n"),
        ({"names": "{label}_#.*"}, "", b""),
        ({"beside": "webdataset"}, "", b""),
        ({"beside": "yolo"}, "images/data.yaml", b"names: [cat, dog]\n"),
    ],
)
def test_columns_say_where_labels_are(context: WorkerContext, columns: dict[str, str], name: str, data: bytes) -> None:
    """And without them nothing is taken for a label; the note says what would."""
    entries = {"images/0.png": picture(10), "images/1.png": picture(90)}
    if "names" in columns:
        entries = {f"images/{x}_{n}.png": picture(9 * n) for x in ("big_cat", "dog") for n in range(2)}
    if columns.get("beside") == "webdataset":
        entries |= {"images/0.cls": b"3\n", "images/1.cls": b"4"}
    if columns.get("beside") == "yolo":
        entries |= {"images/0.txt": b"0 .5 .5 1 1\n0 .1 .1 1 1\n", "images/1.txt": b"1 .5 .5 1 1\n0 .5 .5 1 1\n"}
    content = make_zip(entries | ({name: data} if name else {}))
    untold, _ = index(context, content)
    assert untold.labels == []
    if columns.get("file") is None:
        assert any(json.dumps(columns) in note for note in untold.notes)
    dataset, samples = index(context, content, columns=columns)
    expected = {
        "file": {"0.png": "cat", "1.png": "dog"},
        "names": {f"{x}_{n}.png": x for x in ("big_cat", "dog") for n in range(2)},
        "webdataset": {"0.png": "3", "1.png": "4"},
        "yolo": {"0.png": "cat", "1.png": None},
    }
    assert labels_of(samples) == expected[columns.get("beside") or next(iter(columns))], dataset.notes


def test_what_is_left_out_is_counted_and_named(context: WorkerContext) -> None:
    entries = {
        **GOOD,
        **dict.fromkeys(("a/1.json", "b/notes.txt", "LICENSE"), b"{}"),
        **dict.fromkeys((".gitignore", "a/.hidden.png", "a/Thumbs.db", "c/@eaDir/1.png"), b"x"),
        "more.zip": make_zip(GOOD),
        "lost/1.png": b"no image",
        "lost/2.png": b"",
    }
    dataset, _ = index(context, make_zip(entries))
    assert (dataset.labels, dataset.unreadable_count) == (["a", "b"], 2)
    assert dataset.skipped == {"not-an-image": 3, "hidden": 2, "tool-file": 2, "archive": 1}
    told = " ".join(dataset.notes)
    assert all(name in told for name in ("a/1.json", ".gitignore", "@eaDir", "more.zip", "'lost'"))


def test_sets_of_which_nothing_can_be_read_keep_their_list(context: WorkerContext) -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    dataset, samples = index(context, make_zip({f"a/{n}.png": pointer for n in range(3)}))
    assert ((dataset.problem or {})["code"], len(samples)) == ("dataset-empty", 3)
    assert "git lfs pull" in (dataset.problem or {})["detail"]


def test_hard_links_and_backslashes_are_what_they_say(context: WorkerContext) -> None:
    def change(info: tarfile.TarInfo) -> None:
        if info.name == "b/3.png":
            info.type, info.linkname, info.size = tarfile.LNKTYPE, "a/1.png", 0

    dataset, samples = index(context, make_tar({**GOOD, "b/3.png": b"", "c\\d\\4.png": picture(200)}, change))
    names = {sample.name: sample for sample in samples}
    assert (dataset.labels, dataset.sources) == (["a", "b", "c"], ["d"])
    assert names["b/3.png"].content_sha256 == names["a/1.png"].content_sha256
    assert names["b/3.png"].near_duplicate_of == "a/1.png"


def test_near_duplicates_over_splits_and_labels(context: WorkerContext) -> None:
    """A copy that was made smaller and encoded anew is found; another photograph is not."""
    from skimage import data

    photographs = [Image.fromarray(image) for image in (data.astronaut(), data.coffee(), data.chelsea(), data.rocket())]

    def saved(image: Image.Image, kind: str = "PNG") -> bytes:
        file = io.BytesIO()
        image.save(file, kind)
        return file.getvalue()

    copy = photographs[0].resize((200, 200)).convert("RGB")
    entries = {f"train/{n % 2}/{n}.png": saved(image) for n, image in enumerate(photographs[:3])}
    entries |= {"test/1/9.jpg": saved(copy, "JPEG"), "test/0/8.png": saved(photographs[3])}
    dataset, samples = index(context, make_zip(entries))
    found = {"images": 2, "groups": 1, "across_labels": 1, "across_splits": 1, "with_training_images": 1}
    assert dataset.near_duplicates == found
    alike = {sample.name for sample in samples if sample.near_duplicate_of == "test/1/9.jpg"}
    assert alike == {"test/1/9.jpg", "train/0/0.png"}


def test_first_frames_are_noted(context: WorkerContext) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "green")]
    entries: dict[str, bytes] = {}
    for kind in ("GIF", "WEBP", "PNG", "TIFF"):
        file = io.BytesIO()
        frames[0].save(file, kind, save_all=True, append_images=frames[1:])
        entries[f"c/1.{kind.lower()}"] = file.getvalue()
    dataset, _ = index(context, gzip.compress(make_tar({**entries, **GOOD})))
    assert (dataset.status, dataset.sample_count) == ("ready", 6)
    assert any("4 images have several frames: the first was taken" in note for note in dataset.notes)

"""A folder of the operator's as a source: what lies below the allowed roots is read, through no link and no way up."""

import os
from pathlib import Path

import pytest

from app.errors import EgressFailure
from app.imports.packing import copy_dataset
from app.registries.folder import FolderRegistry
from app.settings import Settings
from app.storage.blobs import BlobStore

CONTENT = b"weights"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An allowed root, with a secret beside it, and every way out of it that a file system has."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key.pem").write_bytes(b"secret")
    root = tmp_path / "models"
    version = root / "faces" / "v1"
    (version / "data").mkdir(parents=True)
    (version / "data" / "model.pth").write_bytes(CONTENT)
    (version / "a name.json").write_bytes(b"{}")
    (version / "model.safetensors").symlink_to(tmp_path / "secret" / "key.pem")
    (version / "inner").symlink_to(tmp_path / "secret", target_is_directory=True)
    (root / "linked").symlink_to(version, target_is_directory=True)
    os.mkfifo(version / "pipe.onnx")
    return root


def test_regular_files_at_any_depth(root: Path) -> None:
    files = FolderRegistry([str(root)]).open(f"file://{root}/faces/v1/")
    assert (files.names(), files.version.name) == ({"data/model.pth", "a name.json"}, "v1")
    with files.fetch("data/model.pth", 100) as file:
        assert b"".join(file.pieces()) == CONTENT
    again = FolderRegistry([str(root)]).open(f"file://{root}/faces/v1")
    assert again.version == files.version
    above = FolderRegistry([str(root)]).open(f"file://{root}")
    assert above.names() == {"faces/v1/data/model.pth", "faces/v1/a name.json"}


def test_addresses_of_files_are_encoded(root: Path, tmp_path: Path) -> None:
    blobs = BlobStore.from_settings(Settings(blob_store=str(tmp_path / "blobs")))
    (root / "My faces").mkdir()
    (root / "My faces" / "at home.zip").write_bytes(CONTENT)
    for name in ("My%20faces/at%20home.zip", "My faces/at home.zip"):
        copied = copy_dataset(FolderRegistry([str(root)]), f"file://{root}/{name}", blobs, Settings(), lambda: None)
        assert (copied.file, copied.blob and copied.blob.size) == ("at home.zip", len(CONTENT))


def test_one_file_of_a_folder(root: Path) -> None:
    """With what belongs to it; links are no files, and a folder may be called as a file is."""
    version = root / "several.zip"
    version.mkdir()
    for name in ("a.onnx", "a.onnx.data", "b.ckpt", "salience.json", "faces.zip"):
        (version / name).write_bytes(CONTENT)
    registry, of_onnx = FolderRegistry([str(root)]), {"a.onnx", "a.onnx.data", "salience.json"}
    files = registry.open(f"file://{version}/a.onnx")
    assert (files.names(), files.version.name) == (of_onnx, "a.onnx")
    with files.fetch("a.onnx", 100) as file:
        assert b"".join(file.pieces()) == CONTENT
    assert registry.open(f"file://{version}/faces.zip").names() == {"faces.zip", "salience.json"}
    assert registry.open(f"file://{version}").names() == {*of_onnx, "b.ckpt", "faces.zip"}
    for linked in ("faces/v1/model.safetensors", "linked/data/model.pth", "nowhere/model.pth"):
        with pytest.raises(EgressFailure, match="no such file"):
            registry.open(f"file://{root}/{linked}")


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ("secret", "folder-not-allowed"),
        ("models-of-others", "folder-not-allowed"),
        ("models/faces/v2", "registry-not-found"),
        ("models/linked", "registry-not-found"),
        ("models/linked/data", "registry-not-found"),
        ("models/faces/v1/inner", "registry-not-found"),
        ("models/faces/v1/a%20name.json", "registry-not-found"),
        ("models/faces/v1/pipe.onnx", "registry-not-found"),
    ],
)
def test_what_is_not_opened(root: Path, place: str, code: str) -> None:
    with pytest.raises(EgressFailure) as caught:
        FolderRegistry([str(root)]).open(f"file://{root.parent}/{place}")
    assert (caught.value.code, caught.value.passing) == (code, False)


@pytest.mark.parametrize("uri", ["file:///", "file://host/srv", "file:///srv/../etc", "file:///srv/%2e%2e/etc", "/srv"])
def test_addresses_that_are_none(uri: str) -> None:
    with pytest.raises(ValueError, match="file:///FOLDER"):
        FolderRegistry(["/srv"]).open(uri)


def test_a_link_put_there_later_is_not_followed(root: Path) -> None:
    """Between the listing and the reading."""
    files = FolderRegistry([str(root)]).open(f"file://{root}/faces/v1")
    weights = root / "faces" / "v1" / "data" / "model.pth"
    weights.unlink()
    weights.symlink_to(root.parent / "secret" / "key.pem")
    with pytest.raises(EgressFailure) as caught, files.fetch("data/model.pth", 100):
        pass
    assert caught.value.code == "registry-not-found"
    with pytest.raises(EgressFailure), files.fetch("../../../secret/key.pem", 100):
        pass


def test_a_file_that_changes(root: Path) -> None:
    files = FolderRegistry([str(root)]).open(f"file://{root}/faces/v1")
    (root / "faces" / "v1" / "data" / "model.pth").write_bytes(CONTENT + b"!")
    with pytest.raises(EgressFailure) as caught, files.fetch("data/model.pth", 100):
        pass
    assert caught.value.code == "artifact-corrupted"
    with pytest.raises(EgressFailure) as caught, files.fetch("a name.json", 1) as file:
        list(file.pieces())
    assert caught.value.code == "answer-too-large"


@pytest.mark.parametrize("root", ["srv", "/srv/../etc", "/", ""])
def test_roots_are_whole_paths(root: str) -> None:
    if root:
        with pytest.raises(ValueError, match="whole path"):
            Settings(import_roots=root)
    assert Settings(import_roots="/srv/a, /srv/{tenant_id}").import_roots == {"/srv/a", "/srv/{tenant_id}"}

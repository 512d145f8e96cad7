"""A version that is one tar, as SageMaker keeps it: its members are read, and none that an attack is made of."""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from app.domain.vocabulary import Origin
from app.errors import EgressFailure, InputFailure, SalienceError
from app.imports.fetching import fetch
from app.imports.storing import Fetched
from app.registries.folder import FolderRegistry
from app.settings import Settings
from app.storage.blobs import BlobStore

WEIGHTS = bytes(range(256)) * 5000
MOST = 2_000_000
CODE = b"raise SystemExit('nobody runs it')"


def fetched(folder: Path) -> Fetched:
    blobs = BlobStore.from_settings(Settings(blob_store=str(folder.parent / "blobs")))
    return fetch(FolderRegistry([str(folder)]), f"file://{folder}", blobs, MOST, lambda: None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "version").mkdir()
    return tmp_path / "version"


def packed(path: Path, change: Callable[[tarfile.TarFile], None] | None = None) -> None:
    """As ``tar -czf model.tar.gz .`` writes it, and what ``change`` adds."""
    with tarfile.open(path, "w" if path.suffix == ".tar" else "w:gz") as archive:
        for name, content in {"./salience.json": b'{"architecture": "resnet18"}', "./code/inference.py": CODE}.items():
            add(archive, name, content)
        add(archive, "./model.pth", WEIGHTS)
        if change is not None:
            change(archive)


def add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


@pytest.mark.parametrize("name", ["model.tar.gz", "model.tgz", "model.tar"])
def test_the_members_are_the_versions_files(folder: Path, name: str) -> None:
    packed(folder / name)
    found = fetched(folder)
    assert found.blob is not None
    assert (found.file, found.blob.digest) == ("model.pth", f"sha256:{hashlib.sha256(WEIGHTS).hexdigest()}")
    assert found.found == [
        (Origin.SALIENCE_JSON, {"architecture": "resnet18"}),
        (Origin.ARTIFACT, {"format": "state_dict"}),
    ]


def test_the_folder_that_was_packed(folder: Path) -> None:
    """As ``tar -czf model.tar.gz runs/v1`` writes it on a Mac, which puts a file beside each that no list shows."""
    with tarfile.open(folder / "model.tar.gz", "w:gz") as archive:
        add(archive, "./._runs", b"\0\5\x16\7")
        for name, content in {"salience.json": b'{"architecture": "resnet18"}', "epoch=3.ckpt": WEIGHTS}.items():
            add(archive, f"runs/v1/._{name}", b"\0\5\x16\7")
            add(archive, f"runs/v1/{name}", content)
    found = fetched(folder)
    assert found.file == "epoch=3.ckpt"
    assert found.found[0] == (Origin.SALIENCE_JSON, {"architecture": "resnet18"})


def linked(archive: tarfile.TarFile) -> None:
    for name, kind, target in (("model.onnx", tarfile.SYMTYPE, "/etc/passwd"), ("model.pt", tarfile.LNKTYPE, "x")):
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, target
        archive.addfile(member)
    device = tarfile.TarInfo("model.bin")
    device.type = tarfile.CHRTYPE
    archive.addfile(device)


def test_links_and_devices_are_no_files(folder: Path) -> None:
    packed(folder / "model.tar.gz", linked)
    assert fetched(folder).file == "model.pth"


def a_way_out(archive: tarfile.TarFile) -> None:
    add(archive, "../../model.safetensors", b"x")


def two_of_a_name(archive: tarfile.TarFile) -> None:
    add(archive, "model.pth", b"others")


def a_long_header(archive: tarfile.TarFile) -> None:
    member = tarfile.TarInfo("././@LongLink")
    member.type, member.size = tarfile.GNUTYPE_LONGNAME, 200_000
    archive.addfile(member, io.BytesIO(b"a" * member.size))


def a_bomb(archive: tarfile.TarFile) -> None:
    add(archive, "zeros", bytes(MOST))


@pytest.mark.parametrize(
    ("change", "kind", "code"),
    [
        (a_way_out, InputFailure, "model-invalid"),
        (two_of_a_name, InputFailure, "model-invalid"),
        (a_long_header, InputFailure, "model-invalid"),
        (a_bomb, EgressFailure, "answer-too-large"),
    ],
)
def test_what_is_refused(
    folder: Path, change: Callable[[tarfile.TarFile], None], kind: type[SalienceError], code: str
) -> None:
    packed(folder / "model.tar.gz", change)
    with pytest.raises(kind) as caught:
        fetched(folder)
    assert caught.value.code == code


def test_what_is_cut_off_or_no_tar_at_all(folder: Path) -> None:
    packed(folder / "model.tar.gz")
    whole = (folder / "model.tar.gz").read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"no gzip", gzip.compress(b"no tar" * 1000)):
        (folder / "model.tar.gz").write_bytes(content)
        with pytest.raises(InputFailure, match=r"model\.tar\.gz"):
            fetched(folder)


def test_several_tars_are_not_guessed_between(folder: Path) -> None:
    for name in ("model.tar.gz", "output.tar.gz"):
        packed(folder / name)
    with pytest.raises(InputFailure, match=r"it has model\.tar\.gz, output\.tar\.gz"):
        fetched(folder)

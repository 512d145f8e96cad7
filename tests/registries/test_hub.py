"""The Hugging Face Hub: our thin client against the project's own one, both at a Hub on loopback."""

import base64
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, HfApi

from app.egress.addresses import AddressGuard
from app.egress.client import EgressClient
from app.errors import EgressFailure
from app.imports.fetching import fetch
from app.models.imported import described_import
from app.policies.unchanged import is_unchanged
from app.registries.base import Version, Wanted
from app.registries.hub import HubRegistry
from app.registries.uri_forms import HubUri
from app.registries.uris import kind_of
from app.settings import Settings
from app.storage.blobs import BlobStore
from tests.registries.loopback_hub import CHANGED, COMMIT, LoopbackHub, loopback_hub
from tests.registries.repository import CONFIG, FILES, NAME, WEIGHTS

TOKEN = "hf_planted"


@pytest.fixture(scope="module")
def hub() -> Iterator[LoopbackHub]:
    with loopback_hub() as server:
        server.files[NAME] = FILES
        yield server


@pytest.fixture
def registry(hub: LoopbackHub) -> Iterator[HubRegistry]:
    with EgressClient(AddressGuard.of(["127.0.0.1/32"])) as client:
        yield HubRegistry(client, hub.url, {"Authorization": f"Bearer {TOKEN}"})


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore.from_settings(Settings(blob_store=str(tmp_path / "blobs")))


def test_agrees_with_the_projects_own_client(hub: LoopbackHub, registry: HubRegistry, tmp_path: Path) -> None:
    api = HfApi(endpoint=hub.url, token=TOKEN)
    told = api.model_info(NAME, files_metadata=True)
    files = registry.open(f"hf://{NAME}@main")
    assert told.siblings is not None
    assert (files.version.version, files.names()) == (told.sha, {one.rfilename for one in told.siblings})
    assert told.last_modified is not None
    assert files.version.created_ms == told.last_modified.timestamp() * 1000
    for name, content in FILES.items():
        theirs = Path(api.hf_hub_download(NAME, name, cache_dir=tmp_path)).read_bytes()
        with files.fetch(name, 1_000_000) as download:
            checksum = files.checksum(name)
            assert checksum is not None
            assert b"".join(checksum.checked(download.pieces())) == theirs == content


def test_weights_and_description_of_a_commit(hub: LoopbackHub, registry: HubRegistry, blobs: BlobStore) -> None:
    """Safetensors before a pickle; the token stays with the Hub."""
    assert hub.storage is not None
    hub.storage.asked.clear()
    fetched = fetch(registry, f"hf://{NAME}", blobs, 1_000_000, lambda: None)
    assert (fetched.version.name, fetched.version.version, fetched.file) == (NAME, COMMIT, "model.safetensors")
    assert fetched.blob is not None
    assert fetched.blob.digest == f"sha256:{hashlib.sha256(WEIGHTS).hexdigest()}"
    model, origins = described_import({}, fetched.found)
    assert (model.architecture, model.class_names) == ("timm/resnet18", ["cat", "dog"])
    assert {name: origins[name]["from"] for name in ("architecture", "class_names", "format")} == {
        "architecture": "config.json",
        "class_names": "config.json",
        "format": "artifact",
    }
    assert model.preprocessing is not None
    assert model.preprocessing.input_size == 224
    said, _ = described_import({"class_names": ["a", "b"]}, fetched.found)
    assert said.class_names == ["a", "b"]
    assert {told for _, told in hub.asked} == {f"Bearer {TOKEN}"}
    assert {told for _, told in hub.storage.asked} == {None}


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"README.md": b"# Another word"}, True),
        ({"notes/log.txt": b"1"}, True),
        ({"model.safetensors": WEIGHTS[:-1] + b"x"}, False),
        ({"config.json": json.dumps(CONFIG | {"num_classes": 3}).encode()}, False),
        ({"salience.json": b"{}"}, False),
    ],
)
def test_commits_that_change_what_is_audited(
    changes: Any, same: Any, hub: LoopbackHub, registry: HubRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = "2" * 40
    monkeypatch.setitem(hub.refs, other, other)
    monkeypatch.setitem(hub.files, f"{NAME}@{other}", FILES | changes)
    assert is_unchanged(registry, f"hf://{NAME}@{COMMIT}", f"hf://{NAME}@{other}") == same
    assert not is_unchanged(registry, f"hf://{NAME}@{'3' * 40}", f"hf://{NAME}@{other}")


def test_a_pull_request_is_the_projects_own(hub: LoopbackHub, registry: HubRegistry) -> None:
    """What is sent is what the project's own client sends; once, and beside whatever the card says."""
    tags = {"salience.entropy": "0.5", "salience.verdict": "passed"}
    hub.commits.clear()
    assert hub.url in registry.propose(Version(NAME, COMMIT), tags)
    assert "already" in registry.propose(Version(NAME, COMMIT), tags)
    (ours,) = hub.commits
    card = base64.b64decode(ours["lines"][1]["value"]["content"])
    HfApi(endpoint=hub.url, token=TOKEN).create_commit(
        NAME,
        [CommitOperationAdd("README.md", card)],
        commit_message=ours["lines"][0]["value"]["summary"],
        commit_description="",
        parent_commit=COMMIT,
        create_pr=True,
    )
    assert hub.commits[1] == ours
    assert card.startswith(FILES["README.md"])
    assert b"| salience.verdict | passed |" in card


def test_other_bytes_than_were_named(hub: LoopbackHub, registry: HubRegistry, blobs: BlobStore, tmp_path: Path) -> None:
    assert hub.storage is not None
    place = f"/stored/{hashlib.sha256(WEIGHTS).hexdigest()}"
    hub.storage.changed[place] = WEIGHTS[:-1] + b"x"
    with pytest.raises(EgressFailure) as caught:
        fetch(registry, f"hf://{NAME}", blobs, 1_000_000, lambda: None)
    del hub.storage.changed[place]
    assert (caught.value.code, caught.value.passing) == ("artifact-corrupted", False)
    assert [path for path in (tmp_path / "blobs").rglob("*") if path.is_file() and path.stat().st_size > 1000] == []


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("hf://timm/nothing", "registry-not-found"),
        (f"hf://{NAME}@nowhere", "registry-not-found"),
        (f"hf://{NAME}@refs/pr/1", "registry-not-found"),
        (f"hf://{NAME}", "answer-too-large"),
    ],
)
def test_what_is_not_fetched(uri: str, code: str, registry: HubRegistry, blobs: BlobStore) -> None:
    with pytest.raises(EgressFailure) as caught:
        fetch(registry, uri, blobs, 1000, lambda: None)
    assert caught.value.code == code


def test_sweep_lists_an_owners_repositories(registry: HubRegistry) -> None:
    before = datetime(2026, 11, 30, tzinfo=UTC)
    (found,) = registry.made(Wanted("timm/*", before))
    assert (found.name, found.version) == (NAME, COMMIT)
    assert CHANGED.startswith("2026-11-30")
    assert found.created_ms == 1_796_004_064_000
    for model, after in (("*/faces", before), ("faces", before), ("timm/*", before + timedelta(days=1))):
        assert not list(registry.made(Wanted(model, after)))


def test_a_commit_has_gits_own_time(registry: HubRegistry, hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the repository the Hub tells only when it changed last. The project's own client reads the same."""
    monkeypatch.setitem(hub.tags, "v1", COMMIT)
    theirs = HfApi(endpoint=hub.url, token=TOKEN)
    (commit,) = theirs.list_repo_commits(NAME, revision=COMMIT)
    assert registry.version(NAME, COMMIT).registered_at == commit.created_at
    tags = [(tag.name, tag.target_commit) for tag in theirs.list_repo_refs(NAME).tags]
    found = registry.aliases(Wanted("timm/*", datetime(2026, 11, 30, tzinfo=UTC)))
    assert [(alias, version.version) for alias, version in found] == tags == [("v1", COMMIT)]


@pytest.mark.parametrize("uri", ["hf://", "hf://a/b/c", "hf://a/../b", "hf://a/b@", "hf://a/b@../x", "hf:///b", "a/b"])
def test_addresses_that_are_none(uri: str) -> None:
    with pytest.raises(ValueError, match=r"hf://|models:/"):
        kind_of(uri)


def test_address_without_a_revision() -> None:
    assert HubUri.read("hf://a/b") == HubUri("a/b", "main")

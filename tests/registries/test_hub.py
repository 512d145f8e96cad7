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
from pydantic import ValidationError

from app.db.tables import ModelRow
from app.domain.vocabulary import Origin
from app.egress.addresses import AddressGuard
from app.egress.client import EgressClient
from app.errors import EgressFailure
from app.hooks.events import Ignored, RegistryEvent, VersionEvent, hub_events
from app.imports.fetching import fetch
from app.models.imported import check_found, described_import
from app.models.requests import ModelChange
from app.models.schemas import missing_of
from app.policies.unchanged import is_unchanged
from app.registries.base import Version, Wanted
from app.registries.hub import NOT_WRITTEN, HubRegistry
from app.registries.model_card import with_verdict
from app.registries.uris import HubUri, kind_of
from app.settings import Settings
from app.storage.blobs import BlobStore
from tests.registries.loopback_hub import CHANGED, COMMIT, LoopbackHub, loopback_hub

TOKEN = "hf_planted"
NAME = "timm/resnet18.a1_in1k"
WEIGHTS = bytes(range(256)) * 1000
CONFIG: Any = {
    "architecture": "resnet18",
    "num_classes": 2,
    "label_names": ["cat", "dog"],
    "pretrained_cfg": {
        "input_size": [3, 224, 224],
        "crop_pct": 0.95,
        "interpolation": "bicubic",
        "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225],
    },
}
FILES = {
    "README.md": b"# A model",
    "config.json": json.dumps(CONFIG).encode(),
    "model.safetensors": WEIGHTS,
    "pytorch_model.bin": WEIGHTS[::-1],
    "onnx/model.onnx": b"graph",
}


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


@pytest.mark.parametrize("left_out", [["mean"], ["mean", "std"], ["input_size"]])
def test_a_config_that_lacks_fields_is_completed(left_out: list[str]) -> None:
    """Not refused: what it says of the preprocessing counts once somebody says the rest."""
    config = CONFIG | {
        "pretrained_cfg": {name: value for name, value in CONFIG["pretrained_cfg"].items() if name not in left_out}
    }
    found = [(Origin.CONFIG, {"config": config}), (Origin.ARTIFACT, {"format": "safetensors"})]
    model, origins = described_import({}, found)
    assert (model.preprocessing, model.architecture) == (None, "timm/resnet18")
    row = ModelRow(architecture="timm/resnet18", format="safetensors", preprocessing={}, description=origins)
    assert missing_of(row) == [f"preprocessing.{name}" for name in left_out]
    assert origins["preprocessing.interpolation"] == {"value": "bicubic", "from": "config.json"}
    every = {"input_size": 224, "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]}
    said = {name: every[name] for name in left_out}
    assert ModelChange.model_validate({"preprocessing": said}).given == {"preprocessing": said}
    with pytest.raises(ValidationError, match="nonsense"):
        ModelChange.model_validate({"preprocessing": {"nonsense": 1}})
    model, origins = described_import({"preprocessing": said}, found)
    assert model.preprocessing is not None
    assert (model.preprocessing.input_size, model.preprocessing.interpolation) == (224, "bicubic")
    assert origins["preprocessing.interpolation"]["from"] == "config.json"


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


def test_what_a_file_names_and_nobody_uses_is_told() -> None:
    """A model's own file does not choose what it is audited on."""
    told = {"class_names": ["a", "b"], "dataset": "faces", "policy": "every version", "name": "n"}
    _, described = described_import({}, [(Origin.SALIENCE_JSON, check_found(told))])
    assert described["class_names"] == {"value": ["a", "b"], "from": "salience.json"}
    for name, value in (("dataset", "faces"), ("policy", "every version")):
        assert (described[name]["value"], described[name]["from"]) == (value, "salience.json")
        assert described[name]["note"].startswith("Not used")


def test_a_pull_request_is_the_projects_own(hub: LoopbackHub, registry: HubRegistry) -> None:
    """What is sent is what the project's own client sends; once, and beside whatever the card says."""
    tags = {"salience.entropy": "0.5", "salience.verdict": "passed"}
    hub.commits.clear()
    assert hub.url in registry.propose(Version(NAME, COMMIT), tags)
    assert "already" in registry.propose(Version(NAME, COMMIT), tags)
    assert registry.write(Version(NAME, COMMIT), tags) == NOT_WRITTEN
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


def test_the_cards_section_is_replaced() -> None:
    once = with_verdict("---\nlicense: mit\n---\n# Faces", {"salience.verdict": "failed"})
    again = with_verdict(f"{once}\nMore words.\n", {"salience.verdict": "passed |<b>"})
    assert again.startswith("---\nlicense: mit\n---\n# Faces\n\n<!-- salience-audit: begin -->")
    assert again.endswith("| salience.verdict | passed   b  |\n<!-- salience-audit: end -->\n\nMore words.\n")
    assert with_verdict("", {}).startswith("<!-- salience-audit: begin -->")


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


PUSHED: Any = {
    "event": {"action": "update", "scope": "repo.content"},
    "repo": {
        "type": "model",
        "name": "openai-community/gpt2",
        "id": "621ffdc036468d709f17434d",
        "private": False,
        "url": {"web": "https://huggingface.co/openai-community/gpt2", "api": "https://huggingface.co/api/models/gpt2"},
        "headSha": COMMIT,
        "owner": {"id": "628b753283ef59b5be89e937"},
    },
    "updatedRefs": [{"ref": "refs/heads/main", "oldSha": "ce9a4674fa833a68d5a73ec355f0ea95eedd60b7", "newSha": COMMIT}],
    "webhook": {"id": "6390e855e30d9209411de93b", "version": 3},
}


def test_one_push_moves_main_and_sets_tags() -> None:
    refs = ("refs/tags/v2", "refs/heads/main", "refs/tags/v1", "refs/pr/1")
    body = PUSHED | {"updatedRefs": [{"ref": ref, "oldSha": None, "newSha": COMMIT} for ref in refs]}
    told = hub_events(json.dumps(body).encode())
    assert isinstance(told, list)
    assert [(event.kind, event.alias) for event in told] == [
        (VersionEvent.CREATED, None),
        (VersionEvent.ALIAS_SET, "v1"),
        (VersionEvent.ALIAS_SET, "v2"),
    ]


def moved(ref: str, sha: object = COMMIT) -> Any:
    return PUSHED | {"updatedRefs": [{"ref": ref, "oldSha": None, "newSha": sha}]}


@pytest.mark.parametrize(
    ("body", "event"),
    [
        (PUSHED, RegistryEvent(VersionEvent.CREATED, "openai-community/gpt2", COMMIT)),
        (moved("refs/tags/v1"), RegistryEvent(VersionEvent.ALIAS_SET, "openai-community/gpt2", COMMIT, alias="v1")),
    ],
)
def test_what_a_hub_tells(body: Any, event: RegistryEvent) -> None:
    assert hub_events(json.dumps(body).encode()) == [event]


@pytest.mark.parametrize(
    "body",
    [
        PUSHED | {"event": {"action": "create", "scope": "discussion.comment"}},
        PUSHED | {"event": {"action": "update", "scope": "repo.config"}},
        PUSHED | {"repo": PUSHED["repo"] | {"type": "dataset"}},
        PUSHED | {"repo": PUSHED["repo"] | {"name": "../gpt2"}},
        PUSHED | {"repo": None},
        PUSHED | {"updatedRefs": None},
        PUSHED | {"updatedRefs": [None, {}, {"ref": 3}]},
        moved("refs/pr/1"),
        moved("refs/heads/wip"),
        moved("refs/heads/main", None),
        moved("refs/heads/main", "main"),
        [],
    ],
)
def test_what_starts_nothing_says_why(body: Any) -> None:
    told = hub_events(json.dumps(body).encode())
    assert isinstance(told, Ignored)
    assert told.reason

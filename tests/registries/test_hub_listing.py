"""Data sets of a Hub that are listed and read where they lie: a loopback Hub, and the project's own client."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from huggingface_hub import HfApi
from huggingface_hub.hf_api import RepoFile

from app.egress.addresses import AddressGuard
from app.egress.client import EgressClient
from app.errors import EgressFailure
from app.registries.hub import HubRegistry
from app.registries.listed import Listed
from tests.registries.loopback_hub import COMMIT, LARGE_BYTES, LoopbackHub, loopback_hub

NAME, TOKEN = "ours/animals", "hf_token"
FILES = {
    "README.md": b"---\nlicense: mit\n---\n",
    "cat/1.png": b"a small picture",
    "cat/2 with a blank.png": bytes(range(256)) * (LARGE_BYTES // 256 + 1),
    "dog/1.png": b"another",
}


@pytest.fixture(scope="module")
def hub() -> Iterator[LoopbackHub]:
    with loopback_hub() as server:
        server.files[f"datasets/{NAME}"] = FILES
        server.page = 2
        yield server


@pytest.fixture
def registry(hub: LoopbackHub) -> Iterator[HubRegistry]:
    with EgressClient(AddressGuard.of(["127.0.0.1/32"])) as client:
        yield HubRegistry(client, hub.url, {"Authorization": f"Bearer {TOKEN}"})


def listed(registry: HubRegistry) -> list[Listed]:
    uri, _ = registry.pinned(f"hf://datasets/{NAME}")
    return [one for page in registry.place(uri).pages(None) for one in page.objects]


def test_a_branch_is_pinned_to_its_commit(hub: LoopbackHub, registry: HubRegistry) -> None:
    uri, version = registry.pinned(f"hf://datasets/{NAME}@main")
    assert (uri, version.name, version.version) == (f"hf://datasets/{NAME}@{COMMIT}", f"datasets/{NAME}", COMMIT)
    hub.asked.clear()
    assert registry.pinned(uri)[0] == uri
    assert hub.asked == []


def test_lists_what_the_projects_own_client_lists(hub: LoopbackHub, registry: HubRegistry) -> None:
    api = HfApi(endpoint=hub.url, token=TOKEN)
    theirs = [
        Listed(one.path, f"sha256:{one.lfs.sha256}" if one.lfs else f"git:{one.blob_id}", one.size)
        for one in api.list_repo_tree(NAME, recursive=True, revision=COMMIT, repo_type="dataset")
        if isinstance(one, RepoFile)
    ]
    assert listed(registry) == theirs
    assert [one.key for one in theirs] == list(FILES)
    place = registry.place(f"hf://datasets/{NAME}@{COMMIT}")
    first, *rest = place.pages(None)
    assert [one for page in place.pages(first.cursor) for one in page.objects] == [
        one for page in rest for one in page.objects
    ]


def test_reads_wholes_and_ranges(hub: LoopbackHub, registry: HubRegistry) -> None:
    """Of large files from another host, which is not shown the token."""
    assert hub.storage is not None
    hub.storage.asked.clear()
    place = registry.place(f"hf://datasets/{NAME}@{COMMIT}")
    for one in listed(registry):
        assert place.read(one, 0, one.size) == FILES[one.key]
        assert place.read(one, 3, 4) == FILES[one.key][3:7]
    assert {told for _, told in hub.storage.asked} == {None}
    assert len(hub.storage.asked) == 2


def test_bytes_that_are_not_the_commits(hub: LoopbackHub, registry: HubRegistry) -> None:
    assert hub.storage is not None
    large = next(one for one in listed(registry) if one.size > LARGE_BYTES)
    place = registry.place(f"hf://datasets/{NAME}@{COMMIT}")
    place.read(large, 0, large.size)
    path = urlsplit(hub.storage.asked[-1][0]).path
    hub.storage.changed[path] = FILES[large.key][::-1]
    with pytest.raises(EgressFailure, match="was changed") as caught:
        place.read(large, 0, large.size)
    assert caught.value.code == "artifact-corrupted"
    hub.storage.changed.clear()
    with pytest.raises(EgressFailure, match="is gone"):
        place.read(Listed("cat/3.png", "git:0", 1), 0, 1)

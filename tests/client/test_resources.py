"""What is pushed arrives; names find what they mean; lists go on behind the first page."""

import io
import zipfile
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from prepare import build_archive

from salience_audit import Client
from salience_audit.errors import ApiError, NoSuchName, Rejected, UnreadableFile
from salience_audit.uploads import opened
from tests.waiting import RECIPE

Json = dict[str, Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four of the example's images, and files that are none of the data set's."""
    with zipfile.ZipFile(io.BytesIO(build_archive())) as archive:
        names = archive.namelist()
        for name in (*names[:2], *names[-2:]):
            archive.extract(name, tmp_path / "few")
    (tmp_path / "few" / ".hidden").mkdir()
    (tmp_path / "few" / ".hidden" / "x.png").write_bytes(b"no image")
    (tmp_path / "few" / "face" / ".DS_Store").write_bytes(b"no image")
    return tmp_path / "few"


def test_a_folder_is_a_data_set(client: Client, folder: Path) -> None:
    told: list[tuple[int, int]] = []
    dataset = client.push_dataset(folder, name="few", progress=lambda *sizes: told.append(sizes))
    assert (dataset["status"], dataset["sample_count"], dataset["unreadable_count"]) == ("ready", 4, 0)
    assert dataset["labels"] == ["face", "non_face"]
    assert told[-1] == (dataset["content_size"], dataset["content_size"])
    assert [sample["label"] for sample in client.samples(dataset["id"])] == ["face"] * 2 + ["non_face"] * 2


def test_the_same_folder_is_the_same_archive(folder: Path) -> None:
    with opened(folder) as first, opened(folder) as second:
        assert (first.sha256, first.size) == (second.sha256, second.size)
        assert b"".join(first.chunks(None)) == b"".join(second.chunks(None))


def test_what_cannot_be_read_here(client: Client, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="No such file"):
        client.push_model(tmp_path / "none.pt", description=RECIPE | {"name": "none"})
    with pytest.raises(UnreadableFile, match="holds no files"):
        client.push_dataset(tmp_path, name="none")
    assert [model for model in client.models() if model["name"] == "none"] == []


def test_what_the_service_refuses(client: Client, runs: list[Json]) -> None:
    with pytest.raises(Rejected, match=r"model-invalid: '.*' is rejected: The file is not") as told:
        client.push_model(bytes(3_000_000), description=RECIPE | {"name": runs[0]["name"]})
    assert told.value.resource["status"] == told.value.to_json()["status"] == "rejected"
    assert client.find("models", runs[0]["name"]) == runs[0]["id"]  # what is ready goes before it
    with pytest.raises(ApiError, match="unsupported-media-type") as refused:
        client.push_dataset(bytes(8_000_000), name="noise")
    assert refused.value.status == 415


def test_names(client: Client, runs: list[Json], faces: Json) -> None:
    assert client.find("models", runs[0]["id"]) == runs[0]["id"]
    assert client.find("datasets", "faces of the client") == faces["id"]
    with pytest.raises(NoSuchName, match="No gate is named 'nothing'"):
        client.find("gates", "nothing")
    name = f"twice {uuid4()}"
    gates = [client.create_gate(name, [f"entropy.mean <= {limit}"])["id"] for limit in (1, 0.5, 0.2)]
    client.change("gates", gates[0], aliases=["champion"])
    assert [client.find("gates", f"{name}{which}") for which in ("", "@2", "@champion")] == [
        gates[2],
        gates[1],
        gates[0],
    ]
    with pytest.raises(NoSuchName):
        client.find("gates", f"{name}@4")
    client.delete("gates", gates[2])
    assert client.find("gates", name) == gates[1]
    # A name may hold the sign itself.
    odd = client.create_gate(f"{name}@odd", ["entropy.mean <= 1"])["id"]
    assert client.find("gates", f"{name}@odd") == odd


def test_lists_go_on_behind_the_first_page(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("salience_audit.connection.PAGE_ITEMS", 2)
    name = f"many {uuid4()}"
    made = [client.create_gate(f"{name} {number}", ["entropy.mean <= 1"])["id"] for number in range(5)]
    found = [gate["id"] for gate in client.gates() if gate["name"].startswith(name)]
    assert found == made[::-1]

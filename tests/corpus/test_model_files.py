"""Every hostile model file gets its code through the real API, and nothing in it runs, in the sandbox or without."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.domain.models.outputs import CLASSES
from app.domain.vocabulary import ModelFormat
from app.errors import InputFailure
from tests.corpus.model_files import MODEL_FILES, OK, REFUSED_FORMATS, Case
from tests.leftovers import nothing_left
from tests.waiting import RECIPE, wait_for
from worker.weights.architectures import build
from worker.weights.fitting import WeightsRequest, read_weights
from worker.weights.onnx.probing import ProbedGraph


@pytest.fixture
def canary() -> Iterator[Path]:
    """Where anybody could make a file; the same path every time."""
    path = Path(tempfile.gettempdir()) / "salience-audit-canary"
    path.unlink(missing_ok=True)
    yield path
    assert not path.exists(), "something ran"


@pytest.fixture(scope="module", autouse=True)
def _nothing_is_left(service: httpx.Client, open_folder: Path) -> Iterator[None]:
    with nothing_left(open_folder / "service"):
        yield


def upload(client: httpx.Client, case: Case, content: bytes) -> str:
    """The problem's code, from the upload itself or from the look into it, or ``ok``."""
    described = RECIPE | {"name": "hostile", "format": case.format}
    if case.format == ModelFormat.ONNX:
        described["architecture"] = None
    registered = client.post("/v1/models", json=described)
    assert registered.status_code == 201, registered.text
    try:
        return ending(client, registered.json(), content)
    finally:
        assert client.delete(f"/v1/models/{registered.json()['id']}").status_code == 204


def ending(client: httpx.Client, registered: dict[str, Any], content: bytes) -> str:
    put = client.put(registered["content_url"], content=content)
    if put.status_code != 202:
        assert put.status_code == 422
        assert put.headers["content-type"] == "application/problem+json"
        return code_of(put.json())
    model = wait_for(client, f"/v1/models/{registered['id']}", "ready", "rejected")
    assert (model["status"] == "ready") == (model["problem"] is None)
    return OK if model["problem"] is None else code_of(model["problem"])


def code_of(problem: dict[str, Any]) -> str:
    assert len(problem["detail"]) > 20
    code: str = problem["code"]
    if code == "model-format-not-accepted":
        assert "torch.save(model.state_dict(), path)" in problem["detail"]
    return code


@pytest.mark.parametrize("name", MODEL_FILES)
def test_through_the_api(service: httpx.Client, canary: Path, name: str) -> None:
    case = MODEL_FILES[name]
    assert upload(service, case, case.make(canary)) in case.codes


@pytest.mark.parametrize("name", [name for name, case in MODEL_FILES.items() if OK not in case.codes])
def test_without_a_sandbox(canary: Path, tmp_path: Path, name: str) -> None:
    """The judges alone keep it from running."""
    case = MODEL_FILES[name]
    path = tmp_path / "model"
    path.write_bytes(case.make(canary))
    with pytest.raises(InputFailure) as refused:
        _build(path, ModelFormat(case.format))
    assert refused.value.code in case.codes


def _build(path: Path, kind: ModelFormat) -> None:
    with path.open("rb") as file:
        if kind is ModelFormat.ONNX:
            ProbedGraph.of(file, RECIPE["preprocessing"]["input_size"], None, CLASSES)
            return
        fitted = read_weights(file, WeightsRequest(kind, RECIPE["architecture"]))
    build(fitted.architecture, fitted.weights, head=fitted.head)


def test_files_are_the_same_every_time(canary: Path) -> None:
    for name, case in MODEL_FILES.items():
        assert case.make(canary) == case.make(canary), name


@pytest.mark.parametrize("kind", REFUSED_FORMATS)
def test_other_formats_cannot_even_be_registered(service: httpx.Client, kind: str) -> None:
    answer = service.post("/v1/models", json=RECIPE | {"name": "hostile", "format": kind})
    assert (answer.status_code, answer.json()["code"]) == (422, "model-format-not-accepted")
    assert "torch.save(model.state_dict(), path)" in answer.json()["detail"]

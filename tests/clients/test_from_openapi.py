"""What tools make of the OpenAPI document: Spectral finds no fault, a generated client runs an audit."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from prepare import build_archive

from tests.api_document import api_document
from tests.waiting import PATIENCE_SECONDS, WEIGHTS

WEIGHTS_FILE = WEIGHTS / "cross_entropy_run1.safetensors"

PROGRAM = """
import json
import sys
import time
from io import BytesIO
from pathlib import Path
from typing import TypeVar

from made.api.audits import audits_create_audit, audits_get_one_audit, audits_get_results
from made.api.data_sets import data_sets_create_dataset, data_sets_get_one_dataset, data_sets_put_content
from made.api.models import models_create_model, models_get_one_model, models_put_content
from made.client import AuthenticatedClient
from made.models.audit import Audit
from made.models.audit_request import AuditRequest
from made.models.dataset import Dataset
from made.models.dataset_request import DatasetRequest
from made.models.model import Model
from made.models.model_request import ModelRequest
from made.models.problem import Problem
from made.models.results_document import ResultsDocument
from made.types import File

Found = TypeVar("Found")


def good(answer: Found | Problem | None) -> Found:
    assert answer is not None and not isinstance(answer, Problem), answer
    return answer


def main(url: str, key: str, archive: str, weights: str, recipe: str) -> None:
    client = AuthenticatedClient(base_url=url, token=key)
    faces: Dataset = good(data_sets_create_dataset.sync(client=client, body=DatasetRequest(name="faces, generated")))
    good(data_sets_put_content.sync(faces.id, client=client, body=File(BytesIO(Path(archive).read_bytes()))))
    described = ModelRequest.from_dict(json.loads(Path(recipe).read_text()) | {"name": "generated"})
    model: Model = good(models_create_model.sync(client=client, body=described))
    good(models_put_content.sync(model.id, client=client, body=File(BytesIO(Path(weights).read_bytes()))))
    while good(data_sets_get_one_dataset.sync(faces.id, client=client)).status == "validating":
        time.sleep(0.2)
    while good(models_get_one_model.sync(model.id, client=client)).status == "validating":
        time.sleep(0.2)
    wanted = AuditRequest.from_dict({
        "dataset_id": str(faces.id), "model_ids": [str(model.id)], "sample_limit": 4,
        "protocol": {"micro_batch": 4, "measures": {"entropy": {}}},
    })
    audit: Audit = good(audits_create_audit.sync(client=client, body=wanted))
    while good(audits_get_one_audit.sync(audit.id, client=client)).status in {"queued", "running"}:
        time.sleep(0.2)
    results = good(audits_get_results.sync(audit.id, client=client))
    assert isinstance(results, ResultsDocument), results
    for row in results.summaries:
        print(audit.id, row.view, row.group, row.mean)


main(*sys.argv[1:])
"""


def test_every_schema_is_referred_to() -> None:
    """So that generators make no class that nobody gets."""
    document = api_document()
    text = json.dumps(document)
    assert [name for name in document["components"]["schemas"] if f'"#/components/schemas/{name}"' not in text] == []


def test_no_schema_has_the_name_of_its_own_field() -> None:
    """In what openapi-python-client makes both would be one variable, of two types. A plain field's has none."""
    schemas = api_document()["components"]["schemas"].items()
    fields = [(name, *field) for name, schema in schemas for field in schema.get("properties", {}).items()]
    assert [name for name, field, told in fields if _as_variable(name) == field and not _is_plain(told)] == []


def _is_plain(told: dict[str, Any]) -> bool:
    return told.get("type") in {"string", "integer", "number", "boolean"} and not {"enum", "format"} & told.keys()


def _as_variable(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


@pytest.mark.integration
@pytest.mark.needs("spectral", get="npm install -g @stoplight/spectral-cli")
def test_spectral_finds_no_fault(openapi: Path, tmp_path: Path) -> None:
    """Of its recommended rules, hints included."""
    rules = tmp_path / "rules.yaml"
    rules.write_text('extends: ["spectral:oas"]\n')
    command = ["spectral", "lint", str(openapi), "--ruleset", str(rules), "--fail-severity", "hint"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def generated(openapi: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the generated package and a program that uses it."""
    folder = tmp_path_factory.mktemp("generated")
    # Formatted by whichever ruff the machine has, it would be another one on each.
    (folder / "generator.yaml").write_text("post_hooks: []")
    command = ["openapi-python-client", "generate", "--path", str(openapi), "--output-path", str(folder / "made")]
    command += ["--config", str(folder / "generator.yaml"), "--meta", "none"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    # It knows JSON and text alone: routes that answer pictures come without the type of their answer.
    assert done.stdout.count("WARNING parsing") == done.stdout.count("Unsupported content_type image/"), done.stdout
    (folder / "program.py").write_text(PROGRAM)
    return folder


@pytest.mark.integration
@pytest.mark.needs("openapi-python-client", get="pip install openapi-python-client, apart from .venv, and on PATH")
class TestGenerated:
    def test_it_type_checks(self, generated: Path) -> None:
        command = [sys.executable, "-m", "mypy", "--cache-dir", str(generated / "cache"), "made", "program.py"]
        done = subprocess.run(command, cwd=generated, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout

    def test_it_runs_an_audit(self, generated: Path, address: tuple[str, str]) -> None:
        (generated / "faces.zip").write_bytes(build_archive())
        recipe = WEIGHTS.parent / "recipe.json"
        command = [sys.executable, "program.py", *address, "faces.zip", str(WEIGHTS_FILE), str(recipe)]
        done = subprocess.run(
            command, cwd=generated, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS
        )
        assert done.returncode == 0, done.stderr
        means = [float(line.split()[-1]) for line in done.stdout.splitlines() if " spatial macro " in line]
        assert len(means) == 1
        assert 0 < means[0] < 1

"""A head of two layers through the whole service: refused with one that fits, then audited with it."""

from typing import Any

import httpx
import torch
from safetensors.torch import load_file
from torch import nn

from tests.waiting import RECIPE, WEIGHTS, upload, wait_for
from tests.weights.weight_files import saved

Json = dict[str, Any]


def same_network_with_another_head() -> bytes:
    """One of the example's, whose last layer became two: with w and -w above zero, their difference is the logit."""
    state = load_file(WEIGHTS / "cross_entropy_run1.safetensors")
    weight, bias = state.pop("fc.weight").float(), state.pop("fc.bias").float()
    first, last = nn.Linear(weight.shape[1], 4), nn.Linear(4, 2, bias=False)
    with torch.no_grad():
        first.weight.copy_(torch.cat([weight, -weight]))
        first.bias.copy_(torch.cat([bias, -bias]))
        last.weight.copy_(torch.tensor([[1.0, 0.0, -1.0, 0.0], [0.0, 1.0, 0.0, -1.0]]))
    head = nn.Sequential(first, nn.ReLU(), last)
    return saved(state | {f"fc.{name}": tensor for name, tensor in head.state_dict().items()})


def clean_accuracy(service: httpx.Client, audit: Json, model: Json) -> Json:
    results = service.get(f"/v1/audits/{audit['id']}/results").json()
    found: Json = next(
        row for row in results["performance"] if row["model_id"] == model["id"] and row["condition"] == "clean"
    )
    return found


def test_refused_with_a_head_and_audited_with_it(service: httpx.Client, dataset: Json) -> None:
    content = same_network_with_another_head()
    recipe = RECIPE | {"name": "another head", "format": "state_dict"}
    refused = upload(service, "models", recipe, content)
    head = [{"linear": 4}, "relu", {"linear": 2}]
    assert (refused["status"], refused["problem"]["code"]) == ("rejected", "model-head-unknown")
    assert refused["problem"]["suggested_head"] == head
    model = upload(service, "models", recipe | {"head": head}, content)
    assert (model["status"], model["head"], model["target_layer"]) == ("ready", head, "conv5")
    assert model["description"]["head"] == {"value": head, "from": "request", "note": "In place of 'fc'."}
    own = upload(
        service, "models", RECIPE | {"name": "own head"}, (WEIGHTS / "cross_entropy_run1.safetensors").read_bytes()
    )
    assert own["head"] is None
    body = {
        "dataset_id": dataset["id"],
        "model_ids": [model["id"], own["id"]],
        "protocol": {"micro_batch": 8, "measures": {"entropy": {}}},
        "sample_limit": 8,
    }
    audit = service.post("/v1/audits", json=body).json()
    assert wait_for(service, f"/v1/audits/{audit['id']}", "succeeded", "failed")["status"] == "succeeded"
    ours, theirs = (clean_accuracy(service, audit, one) for one in (model, own))
    assert ours["accuracy"] == theirs["accuracy"]
    assert abs(ours["auroc"] - theirs["auroc"]) < 1e-6


def test_a_declaration_that_is_no_head(service: httpx.Client) -> None:
    answer = service.post("/v1/models", json=RECIPE | {"name": "no head", "head": [{"linear": 4}, "relu"]})
    assert (answer.status_code, answer.json()["code"]) == (422, "validation-error")
    assert "nothing but softmax" in answer.text

"""Results in the forms of other tools, read by those tools."""

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from huggingface_hub import ModelCard, ModelCardData

from app.audits.publishing.model_card import model_card
from tests.api.running_api import check_problem

Json = dict[str, Any]


def macro(service: httpx.Client, audit: Json) -> dict[tuple[str, str, str | None], Json]:
    rows = service.get(f"/v1/audits/{audit['id']}/results").json()["summaries"]
    return {
        (row["measure"], row["view"], row["model_id"]): row
        for row in rows
        if (row["group_by"], row["group"]) == ("total", "macro")
    }


def test_hugging_face_reads_the_card(service: httpx.Client, first: Json) -> None:
    answer = service.get(f"/v1/audits/{first['id']}/model-card")
    assert answer.headers["content-type"].startswith("text/markdown")
    card = ModelCard(answer.text)
    assert isinstance(card.data, ModelCardData)
    assert card.data.eval_results is not None
    assert card.data.model_name == "cross_entropy_run1"
    results = {(one.metric_type, str(one.metric_name).split(", ")[1]): one for one in card.data.eval_results}
    [model_id] = first["model_ids"]
    expected = {
        ("salience_entropy", "spatial"),
        ("salience_noise_reaction", "noise@0.05"),
        *(("salience_geometric_resilience", f"flip_{way}") for way in ("horizontal", "vertical")),
        *(("salience_degradation", view) for view in ("salience_removed", "non_salience_removed")),
    }
    assert set(results) == expected
    own = macro(service, first)
    for (kind, view), one in results.items():
        assert one.metric_value == own[kind.removeprefix("salience_"), view, model_id]["mean"]
        assert (one.task_type, one.dataset_name, one.dataset_type) == ("image-classification", "faces", "faces")
        assert str(one.dataset_revision).startswith("sha256:")
    assert f"| {own['entropy', 'spatial', model_id]['mean']:.3f} |" in card.text


def test_a_card_of_several_models(service: httpx.Client, groups: list[Json]) -> None:
    text = service.get(f"/v1/audits/{groups[0]['id']}/model-card").text
    assert text.count("salience_stability") == text.count("- name: cross_entropy_run") == 2


def test_names_cannot_break_out_of_the_card(service: httpx.Client, first: Json) -> None:
    document = service.get(f"/v1/audits/{first['id']}/results").json()
    name = "a |\n---\n# <b>: {x} 'y'"
    document["models"][0]["name"] = name
    card = ModelCard(model_card(document, name))
    assert isinstance(card.data, ModelCardData)
    assert card.data.model_name == name
    assert "<b>" not in card.text.replace("\\<b\\>", "")
    assert {line.replace("\\|", "").count("|") for line in card.text.splitlines() if line.startswith("|")} == {8}


def test_metrics_are_flat(service: httpx.Client, first: Json) -> None:
    found = service.get(f"/v1/audits/{first['id']}/metrics").json()
    [model_id] = first["model_ids"]
    for (measure, view, _), row in macro(service, first).items():
        for number in ("mean", "ci95_low", "ci95_high", "std"):
            assert found[f"{measure}.{view.replace('@', '_')}.{number}"] == row[number]
    assert found["radar.entropy"] == 1 - macro(service, first)["entropy", "spatial", model_id]["mean"]
    assert "radar.stability" not in found
    assert 0 <= found["performance.clean.accuracy"] <= 1
    assert all(re.fullmatch(r"[\w./ :-]{1,250}", name) for name in found), "MLflow's rule"


def test_metrics_of_several_models(service: httpx.Client, groups: list[Json], compare: Callable[..., Json]) -> None:
    found = service.get(f"/v1/audits/{groups[0]['id']}/metrics").json()
    own = [found[f"models/{place}/entropy.spatial.mean"] for place in range(2)]
    assert found["entropy.spatial.mean"] == pytest.approx(sum(own) / 2, abs=1e-12)
    assert found["stability.pairs.mean"] == found["radar.stability"]
    side = compare(*groups)["results"]["sides"][0]
    for measure, value in side["radar"].items():
        assert found.get(f"radar.{measure}") == (None if value is None else pytest.approx(value, abs=1e-12))


def test_unfinished(service: httpx.Client, dataset: Json, models: dict[str, Json]) -> None:
    body = {"dataset_id": dataset["id"], "model_ids": [models["cross_entropy_run1"]["id"]]}
    path = f"/v1/audits/{service.post('/v1/audits', json=body).json()['id']}"
    for name in ("model-card", "metrics"):
        check_problem(service.get(f"{path}/{name}"), 409, "audit-not-finished")
    service.post(f"{path}/cancel")

"""An audit as the revision before subjects stored it: positional scores, no ``subject``, one CAM method."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.db.identifiers import new_id
from app.db.session import transaction
from app.db.tables import AuditModelRow, AuditResultsRow, ModelRow, SampleScoresRow
from app.domain.protocol import Protocol
from app.domain.protocol.finding_settings import LATER, FindingSettings
from app.domain.vocabulary import ACROSS_MODELS, AuditStatus, ResourceStatus
from tests.api.running_api import Api
from tests.factories import audit_row, sample_row

Json = dict[str, Any]
STORED: Json = json.loads(Path(__file__).with_name("results_before_subjects.json").read_text())
"""Real results of three runs of a group, as revision 5a1f271 stored them."""
MODELS = [model["model_id"] for model in STORED["models"]]
COLUMNS = (
    *(("entropy", reading) for reading in ("spatial", "histogram")),
    *(("noise_reaction", f"noise@{amount}") for amount in ("0.01", "0.05", "0.1", "0.25", "0.5", "0.75", "1")),
    *(("geometric_resilience", f"shift_{way}") for way in ("left", "right", "up", "down")),
    *(("geometric_resilience", f"shift_{one}_{two}") for one in ("up", "down") for two in ("left", "right")),
    *(("geometric_resilience", f"flip_{way}") for way in ("horizontal", "vertical")),
    *(("geometric_resilience", f"rotate_90_{way}") for way in ("cw", "ccw")),
    *(("geometric_resilience", group) for group in ("shifts", "flips", "rotations", "all")),
    *(("degradation", view) for view in ("salience_removed", "non_salience_removed")),
)
"""What that revision's arrays of scores hold, place by place."""
CONDITIONS = 1 + 7 + 12 + 2


@pytest.fixture(scope="module")
def audit_id(api: Api) -> UUID:
    """The rows as that revision wrote them; new models get the identifiers of the stored ones' places."""
    own = [api.register(name=model["name"]) for model in STORED["models"]]
    for model in own:
        api.set_row(ModelRow, model, status=ResourceStatus.READY, probe={"classes": 2})
    document = json.loads(_renamed([model["id"] for model in own]))
    audit_id, dataset = new_id(), UUID(api.register("datasets")["id"])
    with transaction(api.engine) as session:
        session.add(sample := sample_row(dataset, label="face"))
        values = {"protocol": STORED["protocol"], "protocol_digest": STORED["protocol_digest"], "sample_count": 1}
        session.add(audit_row(dataset, id=audit_id, status=AuditStatus.SUCCEEDED, **values))
        session.flush()
        row = {"audit_id": audit_id, "ordinal": 0, "sample_id": sample.id}
        for ordinal, model in enumerate(own):
            session.add(AuditModelRow(audit_id=audit_id, ordinal=ordinal, model_id=UUID(model["id"])))
            scores = [ordinal + place / 100 for place in range(len(COLUMNS))]
            session.add(SampleScoresRow(**row, model_ordinal=ordinal, scores=scores, predicted=[0] * CONDITIONS))
        session.add(SampleScoresRow(**row, model_ordinal=ACROSS_MODELS, scores=[0.5], pairs=[0.4, 0.5, 0.6]))
        session.add(AuditResultsRow(audit_id=audit_id, document=document))
    return audit_id


def _renamed(ids: list[str]) -> str:
    text = json.dumps(STORED)
    for before, now in zip(MODELS, ids, strict=True):
        text = text.replace(before, now)
    return text


def test_the_protocol_is_still_the_same_one() -> None:
    """Read, resolved and written again, with the thresholds that have come since; its digest does not know those."""
    protocol = Protocol.model_validate(STORED["protocol"])
    since = {name: getattr(FindingSettings(), name) for name in LATER}
    assert protocol.to_json() == STORED["protocol"] | {"findings": STORED["protocol"]["findings"] | since}
    assert protocol.digest() == STORED["protocol_digest"]


def test_results_are_read_as_they_were(api: Api, audit_id: UUID) -> None:
    answer = api.client.get(f"/v1/audits/{audit_id}/results").json()
    ids = [model["model_id"] for model in answer["models"]]
    assert answer == json.loads(_renamed(ids))
    findings = api.client.get(f"/v1/audits/{audit_id}/findings").json()["items"]
    assert [one["code"] for one in findings] == [one["code"] for one in STORED["findings"]]


def test_metrics_and_card_have_every_model(api: Api, audit_id: UUID) -> None:
    metrics = api.client.get(f"/v1/audits/{audit_id}/metrics").json()
    [first] = [row for row in STORED["summaries"] if (row["view"], row["group"]) == ("spatial", "macro")]
    assert metrics["models/0/entropy.spatial.mean"] == first["mean"]
    [pairs] = [row for row in STORED["summaries"] if row["view"] == "pairs"]
    assert metrics["stability.pairs.mean"] == pairs["mean"]
    card = api.client.get(f"/v1/audits/{audit_id}/model-card").text
    assert [f"name: {model['name']}" in card for model in STORED["models"]] == [True] * 3


def test_positions_mean_what_they_meant(api: Api, audit_id: UUID) -> None:
    rows = api.client.get(f"/v1/audits/{audit_id}/samples", params={"limit": 1000}).json()["items"]
    models = [model["model_id"] for model in api.client.get(f"/v1/audits/{audit_id}/results").json()["models"]]
    found = {(row["subject"], row["measure"], row["view"]): row["score"] for row in rows}
    expected = {
        (model, *column): ordinal + place / 100
        for ordinal, model in enumerate(models)
        for place, column in enumerate(COLUMNS)
    }
    assert found == expected | {(None, "stability", "pairs"): 0.5}
    assert all(row["model_id"] == row["subject"] for row in rows)

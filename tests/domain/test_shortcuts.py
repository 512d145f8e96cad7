"""Findings of shortcuts, each by a results document made by hand: just above its threshold, and just below."""

import hashlib
import json
from typing import Any

import pytest

from app.domain.findings.ignored_images import ignored_images
from app.domain.findings.shortcuts import shortcuts
from app.domain.findings.undivided_classes import undivided_classes
from app.domain.protocol import Protocol, ProtocolRequest
from app.domain.protocol.finding_settings import LATER, FindingSettings

Json = Any
"""Documents written by hand, with what a test is about and no more."""


def _performance(condition: str, accuracy: float) -> Json:
    labels = {"a": {"n": 50, "accuracy": accuracy}, "b": {"n": 50, "accuracy": accuracy}}
    return {"condition": condition, "model_id": "m", "n": 100, "accuracy": accuracy, "by_label": labels}


def _class(name: str, **numbers: float) -> Json:
    centred = {"border_ratio": 0.6, "fixedness": 0.5, "centre_down": 0.5, "centre_right": 0.5, "entropy": 0.9}
    return {"group_by": "predicted", "group": name, "n": 50, "n_undefined": 0} | centred | numbers


def _document(*, classes: list[Json] | None = None, performance: list[Json] | None = None, area: float = 0.2) -> Json:
    return {
        "models": [{"model_id": "m", "name": "net"}],
        "protocol": Protocol().to_json(),
        "performance": performance or [],
        "where_maps_lie": [{"model_id": "m", "groups": classes or []}],
        "sufficiency": [{"model_id": "m", "area_90": area, "n": 60, "fill": "mean"}],
        "summaries": [],
    }


def _codes(document: Json) -> list[str]:
    return [finding["code"] for finding in shortcuts(document)]


def test_an_unsuspicious_network_has_none() -> None:
    rows = [_performance("clean", 0.98), _performance("flip_horizontal", 0.9), _performance("cells_1_left", 0.85)]
    rows += [_performance("flip_vertical", 0.3), _performance("without_arrangement", 0.7)]
    # Guided towards the middle: focused, and fixed, on what is there.
    classes = [_class("a", fixedness=0.97, entropy=0.7, border_ratio=0.02), _class("b", entropy=0.95, border_ratio=1.1)]
    assert _codes(_document(classes=classes, performance=rows)) == []


@pytest.mark.parametrize(
    ("numbers", "codes"),
    [
        ({"border_ratio": 1.31}, ["border"]),
        ({"border_ratio": 1.29}, []),
        ({"fixedness": 0.9, "centre_right": 0.7}, ["fixed-place"]),
        ({"fixedness": 0.9, "centre_right": 0.6}, []),
        ({"fixedness": 0.8, "centre_right": 0.7}, []),
        ({"entropy": 0.77}, ["one-sided"]),
        ({"entropy": 0.79}, []),
        ({"entropy": 0.77, "border_ratio": 0.3}, []),
        ({"border_ratio": 2.0, "n": 19}, []),
    ],
)
def test_places(numbers: dict[str, float], codes: list[str]) -> None:
    assert _codes(_document(classes=[_class("a", **numbers), _class("b")])) == codes


def test_views_arrangement_and_colour() -> None:
    clean = _performance("clean", 1.0)
    assert _codes(_document(performance=[clean, _performance("cells_1_up", 0.79)])) == ["view-breaks-accuracy"]
    assert _codes(_document(performance=[clean, _performance("cells_3_up", 0.5)])) == []
    assert _codes(_document(performance=[clean, _performance("without_arrangement", 0.83)])) == [
        "arrangement-does-not-matter"
    ]
    assert _codes(_document(performance=[clean, _performance("without_arrangement", 0.82)])) == []
    assert _codes(_document(performance=[clean, _performance("without_colour", 0.69)])) == ["colour-decides"]
    assert _codes(_document(performance=[clean, _performance("without_detail", 0.69)])) == ["detail-decides"]
    assert _codes(_document(performance=[clean, _performance("without_detail", 0.71)])) == []
    assert _codes(_document(performance=[_performance("clean", 0.6), _performance("without_arrangement", 0.6)])) == []


def test_one_cell_is_enough() -> None:
    assert _codes(_document(area=0.02)) == ["sufficient-in-one-cell"]
    assert _codes(_document(area=0.05)) == []


def test_thresholds_are_the_protocols() -> None:
    document = _document(performance=[_performance("clean", 1.0), _performance("flip_horizontal", 0.5)])
    assert _codes(document) == ["view-breaks-accuracy"]
    document["protocol"]["findings"]["harmless_views"] = ["cells_1_left"]
    assert _codes(document) == []


def test_maps_that_ignore_the_image() -> None:
    row = {"measure": "stability", "view": "pairs", "model_id": None, "group_by": "label", "group": "face", "n": 90}
    same, apart = row | {"mean": 0.9, "control_mean": 0.88}, row | {"mean": 0.9, "control_mean": 0.4}
    document = _document()
    document["summaries"] = [same, apart | {"group": "other"}]
    found = list(ignored_images(document))
    assert [(one["code"], one["level"], one["evidence"]["group"]) for one in found] == [
        ("map-ignores-image", "says-nothing", "face")
    ]


def test_the_preset_looks_at_detail_and_other_protocols_keep_their_form() -> None:
    """Stored ones too: they have as many views, and the same digest, as before there was a choice."""
    resolved = {
        preset: ProtocolRequest.model_validate({"preset": preset, "measures": {"sufficiency": {}}}).resolve()
        for preset in ("default", "investigate")
    }
    views = {preset: "without_detail" in protocol.conditions() for preset, protocol in resolved.items()}
    assert views == {"default": False, "investigate": True}
    assert "detail" not in resolved["default"].to_json()["measures"]["sufficiency"]  # type: ignore[index]
    told = Protocol(findings=FindingSettings(accuracy_fall=0.5))
    names = FindingSettings.model_fields.keys() - {*LATER}
    before = told.to_json() | {"findings": told.findings.model_dump(mode="json", include=names)}
    canonical = json.dumps(before, sort_keys=True, separators=(",", ":")).encode()
    assert told.digest() == f"sha256:{hashlib.sha256(canonical).hexdigest()}"


def _separation(similarity: float, n: int = 60) -> Json:
    """Of two models, the second of which has one map whichever class is asked for."""
    document = _document()
    document["models"] = [{"model_id": one, "name": one} for one in ("m", "k")]
    ids = ["m", "m:other_class", "k", "k:other_class"]
    document["class_separation"] = {"model_ids": ids, "mean_to_others": [0.2, 0.2, similarity, similarity]}
    document["summaries"] = [{"measure": "class_separation", "group": "macro", "n": n}]
    return document


def test_maps_that_are_the_same_for_two_classes() -> None:
    [one] = undivided_classes(_separation(0.91))
    assert (one["code"], one["level"], one["measure"]) == ("classes-share-a-map", "note", "class_separation")
    assert one["evidence"] == {"model_id": "k", "similarity": 0.91, "n": 60, "threshold": 0.9}
    assert not list(undivided_classes(_separation(0.9)))
    assert not list(undivided_classes(_separation(0.91, n=19)))
    assert not list(undivided_classes(_document()))

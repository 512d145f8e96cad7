"""Signs of a shortcut come before every number, and where the maps lie beside them."""

import io

import numpy as np
import pytest
from PIL import Image

from app.domain.findings import Finding, Level
from app.domain.results.map_places import MapGroup, WhereMapsLie
from app.reports.figures import drawings
from app.reports.figures.places import NAME, places_of, where_maps_lie
from app.reports.figures.rendering import inline_svg
from app.reports.findings import findings
from app.reports.job import ReportJob
from app.reports.mean_images import mean_image
from app.reports.page import page
from app.reports.signs import advice, signs
from tests.reports.small_reports import job, summary

CORNER = [[0.0, 0.0, 0.0], [0.0, 0.1, 0.2], [0.0, 0.2, 1.0]]
SPREAD = [[0.5, 0.5, 0.5], [0.5, 0.5, 0.5], [0.5, 0.5, 0.5]]


def exposure(text: str) -> Finding:
    return {"code": "border", "level": Level.EXPOSES, "text": text, "evidence": {"model_id": "m"}}


def lies(model_id: str, *groups: MapGroup) -> WhereMapsLie:
    return {"model_id": model_id, "cells": [3, 3], "border_area": 8 / 9, "groups": list(groups), "clusters": []}


def group(predicted: str, mean_map: list[list[float]], n: int = 10) -> MapGroup:
    return {
        "group_by": "predicted",
        "group": predicted,
        "n": n,
        "n_undefined": 0,
        "mean_map": mean_map,
        "border_ratio": 1.2,
        "fixedness": 0.9,
        "centre_down": 0.5 if mean_map == SPREAD else 0.74,
        "centre_right": 0.5 if mean_map == SPREAD else 0.74,
    }


@pytest.fixture
def exposed() -> ReportJob:
    """An audit whose model has four signs, and looks into the lower right corner for one of its classes."""
    made = job(summary("entropy", "spatial", 0.5))
    (document,) = made.documents.values()
    document["findings"] = [exposure(f"Sign {number}.") for number in range(4)]
    document["findings"].append({"code": "x", "level": Level.SAYS_NOTHING, "text": "Nothing.", "evidence": {}})
    groups = [group("tagged", CORNER, 12), group("plain", SPREAD), group("never", [], 0)]
    document["where_maps_lie"] = [lies("m", *groups), lies("other", *groups)]
    return made


def test_three_signs_are_read_at_once_and_stand_nowhere_else(exposed: ReportJob) -> None:
    (found,) = signs(exposed)
    assert found == ("net", ["Sign 0.", "Sign 1.", "Sign 2."], ["Sign 3."])
    assert advice(exposed) == ["Look at what it reads before its numbers count: net (4 signs of a shortcut)."]
    told = [sentence for _, sentences in findings(exposed) for sentence in sentences]
    assert "Nothing." in told
    assert not [sentence for sentence in told if sentence.startswith("Sign")]
    shown = page(exposed)
    assert (
        shown.index("net (4 signs of a shortcut)") < shown.index("Signs of a shortcut") < shown.index('class="cards"')
    )
    assert [shown.count(f"Sign {number}.") for number in range(4)] == [1, 1, 1, 1]


def test_nothing_found_is_not_praised() -> None:
    made = job(summary("entropy", "spatial", 0.5))
    assert (signs(made), advice(made), where_maps_lie(made)) == ([], [], [])
    assert "Signs of a shortcut" not in page(made)


def test_where_the_maps_lie_in_words_and_numbers(exposed: ReportJob) -> None:
    places = places_of(exposed.all_series[0])
    assert [(place.predicted, place.n) for place in places] == [("plain", 10), ("tagged", 12)]
    drawing = drawings(exposed)[NAME]
    assert drawing.alt == (
        "Mean salience maps. net, plain: most salient middle centre; net, tagged: most salient bottom right."
    )
    assert [row[:3] for row in drawing.tables[0].rows] == [
        ("plain", "10", "middle centre"),
        ("tagged", "12", "bottom right"),
    ]


def test_runs_are_a_mean_over_them(exposed: ReportJob) -> None:
    (document,) = exposed.documents.values()
    document["where_maps_lie"].append(lies("m", group("tagged", SPREAD)))
    tagged = places_of(exposed.all_series[0])[1]
    assert tagged.mean_map[2].tolist() == pytest.approx([0.25, 0.35, 0.75])


def test_maps_lie_over_the_mean_image(exposed: ReportJob) -> None:
    """Of images that are alike at every place the contrast is 1; of noise it goes with one over the root of their
    number, and the figure says that means over such images say little."""
    picture = np.tile(np.linspace(0, 255, 64), (64, 1))
    alike = mean_image("tagged", np.stack([picture] * 16))
    assert alike.contrast == pytest.approx(1.0, abs=1e-12)
    shown = np.asarray(Image.open(io.BytesIO(alike.png)))
    assert np.array_equal(shown, picture.round().astype(np.uint8))
    noise = mean_image("tagged", np.random.default_rng(0).uniform(0, 255, (16, 64, 64)))
    assert noise.contrast == pytest.approx(0.25, abs=0.01)
    notes = [
        where_maps_lie(exposed.model_copy(update={"mean_images": {"net": [image]}}))[0].note for image in (alike, noise)
    ]
    assert [("not aligned" in note, "the mean of 16" in note) for note in notes] == [(False, True), (True, True)]
    over = exposed.model_copy(update={"mean_images": {"net": [alike]}})
    again = ReportJob.model_validate_json(over.model_dump_json())
    assert again.mean_images == over.mean_images
    (drawing,) = where_maps_lie(over)
    assert inline_svg(drawing).count("<image") == 1

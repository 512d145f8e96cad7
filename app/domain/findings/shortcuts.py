"""Signs of a shortcut in an audit's results: what a network looks at besides, or instead of, the object.

Each rule told planted cheats from honest networks (docs/measures.md has the table, with what it missed). A finding is
no proof: it says where to look.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypedDict, TypeVar

from app.domain.audits.subjects import leads
from app.domain.measures import view_title
from app.domain.protocol import Protocol
from app.domain.protocol.finding_settings import FindingSettings
from app.domain.results.documents import ResultsDocument
from app.domain.results.enough import Sufficiency
from app.domain.results.findings import Finding, Level
from app.domain.results.map_places import WhereMapsLie
from app.domain.results.performance import Performance
from app.domain.views.families import WITHOUT_DETAIL
from app.domain.vocabulary import CLEAN


class Sign(TypedDict):
    """A finding of one model: the measure that it is about, where it is about one, its sentence and its numbers."""

    measure: str | None
    text: str
    evidence: dict[str, object]


Found = Iterator[tuple[str, Sign]]
OfModel = TypeVar("OfModel", WhereMapsLie, Sufficiency)


def shortcuts(document: ResultsDocument) -> Iterator[Finding]:
    """Of every model of a results document; results from before maps were looked at have fewer."""
    settings = Protocol.model_validate(document["protocol"]).findings
    several = len(document["models"]) > 1
    for model in document["models"]:
        model_id = model["model_id"]
        maps = _of_model(document.get("where_maps_lie") or [], model_id)
        # Accuracy is a model's, whatever the method.
        decided = document.get("performance") or [] if leads(model_id) else []
        rows = [row for row in decided if row["model_id"] == model_id]
        enough = _of_model(document.get("sufficiency") or [], model_id)
        for code, finding in (
            *_views(rows, settings),
            *_places(maps, settings),
            *_one_sided(maps, settings),
            *_sufficient(enough, settings),
            *_arrangement(rows, settings),
            *_colour(rows, settings),
            *_detail(rows, settings),
        ):
            text = f"{model['name']}: {finding['text']}" if several else finding["text"]
            evidence = {"model_id": model_id} | finding["evidence"]
            found = Finding(code=code, level=Level.EXPOSES, text=text, evidence=evidence)
            if finding["measure"]:
                found["measure"] = finding["measure"]
            yield found


def _of_model(sections: Sequence[OfModel], model_id: str) -> OfModel | None:
    return next((section for section in sections if section["model_id"] == model_id), None)


def _views(rows: list[Performance], settings: FindingSettings) -> Found:
    """The harmless view under which accuracy falls most."""
    by_condition = {row["condition"]: row for row in rows}
    clean = by_condition.get(CLEAN)
    if clean is None or clean["accuracy"] is None or clean["n"] < settings.least_samples:
        return
    falls = {
        view: clean["accuracy"] - accuracy
        for view in settings.harmless_views
        if view in by_condition and (accuracy := by_condition[view]["accuracy"]) is not None
    }
    worst = max(falls, key=lambda view: falls[view], default=None)
    if worst is not None and falls[worst] > settings.accuracy_fall:
        after = by_condition[worst]["accuracy"]
        broken = [view for view, fall in falls.items() if fall > settings.accuracy_fall]
        yield (
            "view-breaks-accuracy",
            {
                "measure": None,
                "text": f"Accuracy falls from {clean['accuracy']:.2f} to {after:.2f} under the view "
                f"{view_title(worst)}, which should not change a label: what is read has a fixed place or side.",
                "evidence": {
                    "view": worst,
                    "accuracy_clean": clean["accuracy"],
                    "accuracy_view": after,
                    "fall": falls[worst],
                    "views": broken,
                    "threshold": settings.accuracy_fall,
                },
            },
        )


class _Class(NamedTuple):
    """Where the maps of one predicted class lie."""

    name: str
    n: int
    entropy: float
    border_ratio: float
    centre: tuple[float, float]
    fixedness: float | None


def _classes(maps: WhereMapsLie | None, settings: FindingSettings) -> Iterator[_Class]:
    """The predicted classes that have enough maps."""
    for row in maps["groups"] if maps else []:
        if row["group_by"] != "predicted" or row["n"] < settings.least_samples:
            continue
        numbers = (row.get("entropy"), row.get("border_ratio"), row.get("centre_down"), row.get("centre_right"))
        entropy, ratio, down, right = numbers
        if entropy is not None and ratio is not None and down is not None and right is not None:
            yield _Class(row["group"], row["n"], entropy, ratio, (down, right), row.get("fixedness"))


def _places(maps: WhereMapsLie | None, settings: FindingSettings) -> Found:
    for one in _classes(maps, settings):
        down, right = one.centre
        evidence: dict[str, object] = {
            "predicted": one.name,
            "n": one.n,
            "border_ratio": one.border_ratio,
            "fixedness": one.fixedness,
            "centre_down": down,
            "centre_right": right,
        }
        if one.border_ratio > settings.border_ratio:
            yield (
                "border",
                {
                    "measure": None,
                    "text": f"Maps of {one.name} lie at the border: the outer ring of cells has "
                    f"{one.border_ratio:.2f} times the salience of its area.",
                    "evidence": evidence | {"threshold": settings.border_ratio},
                },
            )
        distance = math.hypot(down - 0.5, right - 0.5)
        if (one.fixedness or 0) > settings.fixedness and distance > settings.off_centre:
            yield (
                "fixed-place",
                {
                    "measure": None,
                    "text": f"Maps of {one.name} lie at one place away from the middle, whatever the image shows: "
                    f"each correlates with the mean of the others by {one.fixedness:.2f}, and their centre is "
                    f"{distance:.0%} of a side off.",
                    "evidence": evidence | {"off_centre": distance, "threshold": settings.fixedness},
                },
            )


def _one_sided(maps: WhereMapsLie | None, settings: FindingSettings) -> Found:
    """A class that is focused, and not in the middle, while every other is diffuse."""
    rows = sorted(_classes(maps, settings), key=lambda one: one.entropy)
    if len(rows) < 2:
        return
    focused, next_one = rows[0], rows[1]
    difference = next_one.entropy - focused.entropy
    if difference > settings.focus_difference and focused.border_ratio > settings.focus_border_ratio:
        yield (
            "one-sided",
            {
                "measure": "entropy",
                "text": f"Maps of {focused.name} are focused, and not in the middle, while those of "
                f"{next_one.name} are spread out (entropy {focused.entropy:.2f} and {next_one.entropy:.2f}): "
                "one class is told by something small, the other by its absence.",
                "evidence": {
                    "focused": focused.name,
                    "entropy_focused": focused.entropy,
                    "diffuse": next_one.name,
                    "entropy_diffuse": next_one.entropy,
                    "difference": difference,
                    "border_ratio": focused.border_ratio,
                    "threshold": settings.focus_difference,
                },
            },
        )


def _sufficient(section: Sufficiency | None, settings: FindingSettings) -> Found:
    if section is None or section["area_90"] is None or section["n"] < settings.least_samples:
        return
    if section["area_90"] <= settings.sufficient_share:
        yield (
            "sufficient-in-one-cell",
            {
                "measure": "sufficiency",
                "text": f"{section['area_90']:.0%} of the image is enough for nine in ten predictions.",
                "evidence": {
                    "area_90": section["area_90"],
                    "n": section["n"],
                    "fill": section["fill"],
                    "threshold": settings.sufficient_share,
                },
            },
        )


def _arrangement(rows: list[Performance], settings: FindingSettings) -> Found:
    before, after, chance = _balanced(rows, "without_arrangement", settings)
    if before is None or after is None or before - chance <= settings.accuracy_fall:
        return
    left = (after - chance) / (before - chance)
    if left > settings.arrangement_left:
        yield (
            "arrangement-does-not-matter",
            {
                "measure": "sufficiency",
                "text": f"With the cells of every image in random order accuracy is still {after:.2f} (clean "
                f"{before:.2f}): what is read is small, or everywhere, and no shape.",
                "evidence": {
                    "accuracy_clean": before,
                    "accuracy_view": after,
                    "left_above_chance": left,
                    "threshold": settings.arrangement_left,
                },
            },
        )


def _colour(rows: list[Performance], settings: FindingSettings) -> Found:
    yield from _gone(rows, "colour-decides", "without_colour", settings.colour_fall, settings)


def _detail(rows: list[Performance], settings: FindingSettings) -> Found:
    yield from _gone(rows, "detail-decides", WITHOUT_DETAIL, settings.detail_fall, settings)


_GONE = {
    "colour-decides": "Without colours accuracy falls from {before:.2f} to {after:.2f}.",
    "detail-decides": "Under a blur of a pixel in 224 accuracy falls from {before:.2f} to {after:.2f}: what is read is "
    "finer than the objects, as grain, sharpness, traces of compression or print are.",
}


def _gone(rows: list[Performance], code: str, view: str, threshold: float, settings: FindingSettings) -> Found:
    """Of a view that keeps the object, and under which accuracy should not fall."""
    before, after, _ = _balanced(rows, view, settings)
    if before is not None and after is not None and before - after > threshold:
        yield (
            code,
            {
                "measure": "sufficiency",
                "text": _GONE[code].format(before=before, after=after),
                "evidence": {
                    "accuracy_clean": before,
                    "accuracy_view": after,
                    "fall": before - after,
                    "threshold": threshold,
                },
            },
        )


def _balanced(
    rows: list[Performance], view: str, settings: FindingSettings
) -> tuple[float | None, float | None, float]:
    """Accuracy on clean images and under a view, each label with the same weight, and what chance would give."""
    by_condition = {row["condition"]: row for row in rows}
    found = [row for name in (CLEAN, view) if (row := by_condition.get(name)) is not None]
    if len(found) < 2 or any(row["n"] < settings.least_samples for row in found):
        return None, None, 0.0
    means: list[float | None] = []
    chance = 0.0
    for row in found:
        by_label = (row.get("by_label") or {}).values()
        labels = [accuracy for one in by_label if (accuracy := one["accuracy"]) is not None]
        means.append(math.fsum(labels) / len(labels) if labels else row["accuracy"])
        chance = 1 / len(labels) if labels else 0.0
    return means[0], means[1], chance

"""Signs of a shortcut in what a model decides of changed images."""

import math

from app.domain.findings.signs import Found
from app.domain.measures import view_title
from app.domain.protocol.finding_settings import FindingSettings
from app.domain.results.enough import Sufficiency
from app.domain.results.performance import Performance
from app.domain.views.families import WITHOUT_DETAIL
from app.domain.vocabulary import CLEAN


def views(rows: list[Performance], settings: FindingSettings) -> Found:
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


def sufficient(section: Sufficiency | None, settings: FindingSettings) -> Found:
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


def arrangement(rows: list[Performance], settings: FindingSettings) -> Found:
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


def colour(rows: list[Performance], settings: FindingSettings) -> Found:
    yield from _gone(rows, "colour-decides", "without_colour", settings.colour_fall, settings)


def detail(rows: list[Performance], settings: FindingSettings) -> Found:
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

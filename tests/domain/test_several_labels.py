"""Labels of which a sample may have several: as text, as classes, and how well they are told."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, roc_auc_score

from app.domain.samples.label_matching import map_several_labels
from app.domain.samples.several_labels import joined, parts_of
from app.domain.summaries.groups import Groups
from app.domain.summaries.label_performance import LabelPredictions, label_performance

NAMES = ("Atelectasis", "Effusion", "Mass", "Hernia")


def test_texts() -> None:
    assert joined(["Effusion", "Mass", "Effusion"]) == "Effusion|Mass"
    assert parts_of(" Effusion | Mass") == ("Effusion", "Mass")
    assert parts_of(joined([])) == parts_of(None) == ()


def test_labels_meet_classes_by_name_and_null_is_none_of_them() -> None:
    labels = ["Effusion|Mass", "atelectasis", "No Finding"]
    refused = map_several_labels(labels, NAMES, 4)
    assert refused.indices is None
    assert '{"No Finding": null}' in (refused.reason or "")
    met = map_several_labels(labels, NAMES, 4, {"No Finding": None})
    assert met.indices == {"Effusion": 1, "Mass": 2, "atelectasis": 0}
    assert (met.positives("Effusion|Mass"), met.positives("No Finding"), met.positives(None)) == ((1, 2), (), ())
    assert met.score_classes(4) == (0, 1, 2, 3)
    assert map_several_labels(["Mass", "mass"], NAMES, 4).indices is None


def test_a_sample_belongs_to_the_groups_of_all_its_labels() -> None:
    groups = Groups(("Effusion|Mass", "Mass", "|", None), (None,) * 4, several=True)
    assert {group.group: group.members.tolist() for group in groups.named()} == {"Effusion": [0], "Mass": [0, 1]}


def test_performance_is_that_of_scikit_learn_over_labels_with_both_outcomes() -> None:
    draw = np.random.default_rng(4)
    positives = draw.random((40, 4)) < 0.4
    positives[:, 3] = False
    known = draw.random(40) < 0.9
    scores = draw.random((40, 2, 4))
    scores[7] = np.nan
    rows = label_performance(LabelPredictions("m", ("clean", "noise@0.05"), scores, positives, known, 0.6, NAMES))
    counted = known & (np.arange(40) != 7)
    for place, row in enumerate(rows):
        own, truth = scores[counted, place], positives[counted]
        areas = [roc_auc_score(truth[:, label], own[:, label]) for label in range(3)]
        hits = [accuracy_score(truth[:, label], own[:, label] > 0.6) for label in range(4)]
        assert row["n"] == counted.sum()
        assert row["auroc"] == pytest.approx(np.mean(areas), abs=1e-12)
        assert row["auroc_by_class"]["3"] is None
        assert row["accuracy"] == pytest.approx(np.mean(hits[:3]), abs=1e-12)
        assert (row["by_label"] or {})["Hernia"] == {"n": 0, "accuracy": pytest.approx(hits[3])}

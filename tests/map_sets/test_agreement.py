"""Do salience maps lie where people looked: scores, chance and gates of agreement, as other tools say."""

from collections.abc import Callable

import httpx
import numpy as np
import pytest
from scipy.stats import pearsonr
from skimage.measure import block_reduce
from skimage.metrics import structural_similarity

from tests.api.running_api import check_problem
from tests.map_sets.annotators import (
    PROTOCOL,
    SAMPLES,
    Json,
    Map,
    Scores,
    Sets,
    at_smaller,
    by_correlation,
    by_ssim,
    eight_bit,
    stretched,
)


def test_a_model_agrees_with_people_as_other_tools_say(
    service: httpx.Client,
    audit: Json,
    sets: Sets,
    scores: Scores,
) -> None:
    """The larger map by area, the mean of blocks of its cells; then what SciPy and scikit-image make of it."""
    [model] = audit["model_ids"]
    asked = {"view": "cc@1", "subject": model, "limit": 5}
    page = service.get(f"/v1/audits/{audit['id']}/samples", params=asked).json()["items"]
    assert len(page) == 5
    for row in page:
        own = model_map(service, audit, row["sample_id"])
        for number, name in enumerate(sets, start=1):
            given = stretched(sets[name][row["sample"]])
            small = block_reduce(given, len(given) // 7, np.mean)
            key = row["sample"], model
            assert scores[*key, f"cc@{number}"] == pytest.approx(pearsonr(own.ravel(), small.ravel())[0], abs=1e-6)
            ssim = structural_similarity(eight_bit(own), eight_bit(small), data_range=255)
            assert scores[*key, f"ssim@{number}"] == pytest.approx(ssim, abs=0.02)


def test_agreement_has_an_interval_a_chance_and_groups(results: Json) -> None:
    rows = [row for row in results["summaries"] if row["measure"] == "agreement"]
    groups = {row["group_by"] for row in rows}
    assert groups == {"total", "label", "source"}
    first = next(row for row in rows if row["view"] == "cc@1" and row["group"] == "macro")
    assert first["similarity"] == "cc"
    assert first["ci95_low"] < first["mean"] < first["ci95_high"]
    assert first["control_mean"] is not None
    [between] = [row for row in rows if row["view"] == "cc@2" and row["group"] == "macro" and row["model_id"] is None]
    assert between["mean"] > between["control_mean"]


def model_map(service: httpx.Client, audit: Json, sample_id: str) -> Map:
    found = service.get(f"/v1/audits/{audit['id']}/samples/{sample_id}/map").json()
    return np.array(found["values"], np.float64)


def test_the_chance_is_scored_as_the_score_is(
    service: httpx.Client,
    audit: Json,
    results: Json,
    sets: Sets,
    scores: Scores,
) -> None:
    """Each map against the given map of another sample at that pair's own size, by other implementations: of every
    label a seeded cycle through the samples that have the score."""
    [model] = audit["model_ids"]
    page = service.get(f"/v1/audits/{audit['id']}/samples", params={"subject": model, "view": "cc@1"}).json()["items"]
    labels = {row["sample"]: row["label"] for row in page}
    given = [{name: stretched(one) for name, one in own.items()} for own in sets.values()]
    own = {row["sample"]: model_map(service, audit, row["sample_id"]) for row in page}
    first, second = (one["subject"] for one in results["map_sets"])
    for subject, maps, target in ((model, own, 0), (model, own, 1), (first, given[0], 1), (second, given[1], 0)):
        partners = another_of(labels, {name for name in labels if (name, subject, f"cc@{target + 1}") in scores})
        pairs = [at_smaller(maps[name], given[target][other]) for name, other in partners.items()]
        for similarity, compare in {"cc": by_correlation, "ssim": by_ssim}.items():
            [row] = [
                row
                for row in results["summaries"]
                if (row["measure"], row["view"], row["group"]) == ("agreement", f"{similarity}@{target + 1}", "micro")
                and row["subject"] == subject
            ]
            expected = np.mean([compare(*pair) for pair in pairs])
            assert row["control_mean"] == pytest.approx(expected, abs={"cc": 1e-6, "ssim": 0.01}[similarity])


def another_of(labels: dict[str, str], defined: set[str]) -> dict[str, str]:
    """By sample, in the order of the audit; those without a score are turned about as well, and have nobody."""
    draw, names = np.random.Generator(np.random.PCG64(0)), sorted(labels)
    groups = [[name for name in names if name not in defined]]
    groups += [
        [name for name in names if labels[name] == label and name in defined] for label in sorted({*labels.values()})
    ]
    partners: dict[str, str] = {}
    for group in groups:
        if len(group) > 1:
            turned = draw.permutation(group).tolist()
            partners |= dict(zip(turned, [*turned[1:], turned[0]], strict=True))
    return {name: other for name, other in partners.items() if name in defined}


def test_a_gate_judges_agreement(
    service: httpx.Client, dataset: Json, audit: Json, results: Json, make_gate: Callable[..., Json]
) -> None:
    """By the numbers of the results; and what the audit cannot have is refused before it starts."""
    means = {
        (row["view"], row["subject"]): row
        for row in results["summaries"]
        if (row["measure"], row["group"]) == ("agreement", "macro")
    }
    [model] = audit["model_ids"]
    verdict = service.get(f"/v1/audits/{audit['id']}/verdict").json()
    assert verdict["verdict"] == "failed"
    first, rest, divergence, missing = verdict["conditions"]
    assert (first["outcome"], first["value"]) == ("passed", means["cc@1", model]["mean"])
    assert (rest["outcome"], rest["value"]) == ("failed", means["cc@rest", model]["ci95_low"])
    assert divergence["value"] == means["kl@2", model]["mean"]
    assert divergence["threshold"] == means["kl@2", model]["control_mean"]
    assert (missing["outcome"], missing["value"]) == ("passed", None)
    body = {"dataset_id": dataset["id"], "model_ids": audit["model_ids"], "map_set_ids": audit["map_set_ids"]}
    asked = {"protocol": PROTOCOL, "gate_id": make_gate("agreement.cc@3.mean >= 0")["id"]}
    refused = service.post("/v1/audits", json=body | asked)
    detail = check_problem(refused, 422, "gate-needs-map-sets")
    assert "agreement.cc@3, which this audit does not have" in detail
    assert "cc@1, cc@2, cc@rest" in detail
    turned = {"map_set_ids": audit["map_set_ids"][::-1], "baseline_audit_id": audit["id"]}
    compared = {"gate_id": make_gate("agreement.cc@1.mean not worse than baseline")["id"], "sample_limit": SAMPLES}
    check_problem(
        service.post("/v1/audits", json=body | {"protocol": PROTOCOL} | compared | turned), 422, "baseline-differs"
    )

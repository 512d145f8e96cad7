"""The report of an audit says what its results say, shows its maps, and loads nothing."""

import io
import re
from collections.abc import Callable
from html import escape
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.comparisons.real_audits import ENTROPY_ONLY, FAIL
from tests.reports.reading import Report, written

Json = dict[str, Any]


@pytest.fixture(scope="module")
def report(service: httpx.Client, strategies: list[Json]) -> Report:
    return read(service, strategies[1])


def read(service: httpx.Client, audit: Json) -> Report:
    answer = service.get(f"/v1/audits/{audit['id']}/report")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; img-src data:;")
    return Report(answer.text)


def results(service: httpx.Client, audit: Json) -> Json:
    document: Json = service.get(f"/v1/audits/{audit['id']}/results").json()
    return document


def test_it_loads_and_runs_nothing(report: Report) -> None:
    assert not {"script", "link", "iframe", "object", "form", "input"} & set(report.tags)
    assert all(address.startswith(("data:image/jpeg;base64,", "#")) for address in report.addresses)
    assert "url(http" not in report.text
    assert "@import" not in report.text
    assert len(report.ids) == len(set(report.ids))
    targets = {address[1:] for address in report.addresses if address.startswith("#")}
    assert targets <= set(report.ids)


def test_every_measure_has_its_section_and_its_figures(report: Report) -> None:
    for title in ("Entropy", "Noise reaction", "Geometric resilience", "Degradation", "Stability", "Provenance"):
        assert any(heading.startswith(title) for heading in report.headings)
    # Where maps lie, radar, distributions, noise curve, geometry, curves of each one's deformations, ROC curves, pairs.
    assert len(report.labels) == 2 + 6 + 1 + 1 + 2 + 1 + 1
    assert all(len(label) > 20 for label in report.labels)


def test_table_1_is_that_of_the_results(service: httpx.Client, report: Report, strategies: list[Json]) -> None:
    summaries = results(service, strategies[1])["summaries"]
    for measure, view, title in (
        ("entropy", "spatial", "Entropy, spatial, by label"),
        ("noise_reaction", "noise@0.05", "Noise reaction, noise 5%, by label"),
        ("degradation", "non_salience_removed", "Degradation, non-salience removed, by label"),
    ):
        _, *rows = report.table(title)
        assert [row[0] for row in rows[2:]] == ["label face", "label non_face", "source bright", "source dark"]
        for name, cell in rows:
            words = name.split()
            group = {"group_by": words[0], "group": words[1]}
            if words[0] == "total,":
                group = {"group_by": "total", "group": "macro" if "macro" in name else "micro"}
            wanted = {"measure": measure, "view": view} | group
            found = [row for row in summaries if wanted.items() <= row.items()]
            means = [row["mean"] for row in found]
            assert len(means) == 2
            mean, low, high = (written(value) for value in (sum(means) / 2, min(means), max(means)))
            numbers, _, reason = cell.partition(" says nothing: ")
            assert numbers == f"{mean} ({low} to {high})"
            # Of two runs one is enough: half of them.
            assert bool(reason) == any(row["says_nothing"] for row in found)


def test_the_cards_hold_the_five_numbers_with_their_intervals(
    service: httpx.Client, report: Report, strategies: list[Json]
) -> None:
    document, words = results(service, strategies[1]), report.words()
    headlines = {("entropy", "spatial"), ("noise_reaction", "noise@0.05"), ("geometric_resilience", "all")}
    for row in document["across_models"]:
        if row["group"] == "macro" and (row["measure"], row["view"]) in headlines:
            bounds = f"{written(row['ci95_low'])} to {written(row['ci95_high'])}"
            assert f"{written(row['mean'])} 95% {bounds}; ± {written(row['std'])} over runs" in words
    stability = next(row for row in document["summaries"] if row["measure"] == "stability" and row["group"] == "macro")
    assert f"{written(stability['mean'])} 95% {written(stability['ci95_low'])} to" in words


def test_the_interval_over_models_belongs_to_their_mean(service: httpx.Client, strategies: list[Json]) -> None:
    """Between the lowest bound and the highest of the models, and around the mean."""
    document = results(service, strategies[1])
    for row in document["across_models"]:
        same = {name: row[name] for name in ("measure", "view", "group_by", "group")}
        models = [one for one in document["summaries"] if same.items() <= one.items()]
        assert row["ci95_low"] <= row["mean"] <= row["ci95_high"]
        assert min(one["ci95_low"] for one in models) <= row["ci95_low"]
        assert max(one["ci95_high"] for one in models) >= row["ci95_high"]


def test_histograms_are_tables_too(service: httpx.Client, report: Report, strategies: list[Json]) -> None:
    wanted = {"measure": "entropy", "view": "spatial", "group": "micro", "group_by": "total"}
    rows = [row for row in results(service, strategies[1])["summaries"] if wanted.items() <= row.items()]
    added = np.sum([row["histogram"]["counts"] for row in rows], axis=0)
    edges = np.linspace(rows[0]["histogram"]["low"], rows[0]["histogram"]["high"], len(added) + 1)
    bins = zip(edges, added, strict=False)
    expected = [(written(low, 2), str(count)) for low, count in bins if count]
    head, counts = report.table("Entropy, spatial: samples by score")
    assert list(zip(head[1:], counts[1:], strict=True)) == expected
    assert added.sum() == sum(row["n"] for row in rows)


def test_noise_geometry_decisions_and_pairs_are_tables_too(
    service: httpx.Client, report: Report, strategies: list[Json]
) -> None:
    document = results(service, strategies[1])
    points = [curve["points"] for curve in document["noise_curves"]]
    means = [written(sum(point["mean"] for point in column) / 2) for column in zip(*points, strict=True)]
    clean, *noisy = report.table("Noise curve of")[1:]
    assert [row[1] for row in noisy] == means
    areas = [curve["clean_auroc"] for curve in document["noise_curves"]]
    assert (clean[0], clean[3]) == ("noise 0% (clean images)", written(sum(areas) / 2))

    geometry = {row[0]: row for row in report.table("Geometry of")[1:]}
    assert len(geometry) == 12 + 4 + 2
    wanted = {"measure": "geometric_resilience", "view": "rotate_90_cw", "group": "macro"}
    rows = [row for row in document["summaries"] if wanted.items() <= row.items()]
    shown = [written(sum(row[name] for row in rows) / 2) for name in ("mean", "control_mean")]
    assert [geometry["rotate 90 cw"][1], geometry["rotate 90 cw"][3]] == shown

    decisions = report.table("Decisions of")[1:]
    rows = [row for row in document["performance"] if row["condition"] == "clean"]
    assert [row[2:4] for row in decisions[:2]] == [[written(row["accuracy"]), written(row["auroc"])] for row in rows]

    matrix = document["stability"]["pair_means"]
    assert [row[1:3] for row in report.table("Mean SSIM of the maps")[1:]] == [
        [written(value) for value in row] for row in matrix
    ]


def test_the_gallery_shows_best_median_and_worst_with_their_maps(
    service: httpx.Client, report: Report, strategies: list[Json]
) -> None:
    audit = strategies[1]
    model_id = audit["model_ids"][0]
    asked = {"measure": "noise_reaction", "view": "noise@0.05", "model_id": model_id, "order": "desc"}
    samples = service.get(f"/v1/audits/{audit['id']}/samples", params=asked).json()["items"]
    ranked = [samples[0], samples[(len(samples) + 1) // 2 - 1], samples[-1]]
    wanted = [f"{sample['sample']}: noise 5%" for sample in ranked]
    every = [picture for picture in report.pictures if picture.alt.endswith(": noise 5%")]
    shown = [picture for picture in every if picture.alt in wanted]
    assert [picture.alt for picture in shown] == wanted
    assert len(every) in {3, 4}, "a fourth is drawn, and may be one of the three"
    for picture, sample in zip(shown, ranked, strict=True):
        answer = service.get(
            f"/v1/audits/{audit['id']}/samples/{sample['sample_id']}/map",
            params={"model_id": model_id, "view": "noise@0.05"},
            headers={"Accept": "image/png"},
        )
        expected = np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB")).astype(np.float64)
        # JPEG and nothing else lies between the two.
        assert np.abs(picture.pixels() - expected).mean() < 3
    assert len([picture for picture in report.pictures if picture.alt.endswith(": image")]) in range(5 * 3, 5 * 4 + 1)


def test_the_verdict_stands_first(service: httpx.Client, report: Report, judge: Callable[..., Json]) -> None:
    words = report.words()
    assert words.index("Passed : human_guided against the gate report gate, with 1 warning") < words.index(
        "What stands"
    )
    outcomes = {row[0]: row[1] for row in report.table("The gate's conditions")[1:]}
    assert outcomes == {
        "entropy.spatial.mean <= 1": "passed",
        "stability.mean >= 0.999 (warn)": "failed (warning only)",
    }

    failed = read(service, {"id": judge(FAIL)["audit_id"]})
    assert "Failed : " in failed.words()


def test_the_verdict_and_the_provenance_say_what_they_rest_on(
    service: httpx.Client, report: Report, strategies: list[Json]
) -> None:
    audit = strategies[1]
    assert f"Gate report gate: {audit['gate']['digest']} . No baseline." in report.words()
    rows = dict(report.table("Provenance")[1:])
    assert rows["processor"] == audit["device_class"]
    assert rows["software"].startswith("salience_audit ")
    for model_id in audit["model_ids"]:
        model = service.get(f"/v1/models/{model_id}").json()
        assert rows[f"model {model['name']}"].endswith(f"; salience taken at {model['target_layer']}")


def test_models_named_one_by_one_stand_side_by_side(service: httpx.Client, groups: list[Json]) -> None:
    found = read(service, groups[0])
    assert found.table("Entropy, spatial, by label")[0] == ["group", "cross_entropy_run1", "cross_entropy_run2"]
    assert found.table("The radar's numbers")[0][1:3] == ["cross_entropy_run1", "cross_entropy_run2"]
    assert "Not measured everywhere: geometric resilience, degradation and stability" in found.words()


def test_stability_alone(service: httpx.Client, start: Callable[..., Json]) -> None:
    """Of models that were named one by one: no single one has it, and all of them do."""
    protocol = {"micro_batch": 4, "measures": {"stability": {}}}
    audit = start("cross_entropy_run1", "cross_entropy_run2", protocol=protocol, sample_limit=4)
    assert audit["status"] == "succeeded", audit
    assert {row["measure"] for row in results(service, audit)["summaries"]} == {"stability"}
    found = read(service, audit)
    assert found.table("Stability, pairs of runs, by label")[0] == ["group", "all models"]
    assert len(found.table("Mean SSIM of the maps")) == 1 + 2


@pytest.mark.parametrize(
    ("caption", "curves", "views"),
    [
        ("Deformations of", "deformation_curves", ["frost, severity 2", "frost, severity 4"]),
        ("Moves of", "move_curves", ["elastic 0.25", "elastic 0.5"]),
    ],
)
def test_listed_deformations_have_curves(
    service: httpx.Client, report: Report, strategies: list[Json], caption: str, curves: str, views: list[str]
) -> None:
    """A figure each, and its numbers as a table: means over the runs, below those of the clean images."""
    document = results(service, strategies[1])
    of_runs = list(zip(*(curve["points"] for curve in document[curves]), strict=True))
    head, clean, *rows = report.table(caption)
    assert [row[0] for row in (clean, *rows)] == ["clean", *views]
    columns = {"SSIM": "mean", "AUROC": "auroc", "accuracy": "accuracy"}
    columns |= {"control": "control_mean"} if curves == "move_curves" else {}
    assert ("control" in head) == ("control" in columns)
    for title, name in columns.items():
        expected = [written(sum(point[name] for point in column) / 2) for column in of_runs]
        assert [row[head.index(title)] for row in rows] == expected
    area = sum(curve["clean_auroc"] for curve in document[curves]) / 2
    assert clean[head.index("AUROC")] == written(area)
    drawn = service.get(f"/v1/audits/{strategies[1]['id']}/plots/{curves.replace('_', '-')}.svg")
    assert drawn.status_code == 200, drawn.text
    assert {"SSIM of the maps", "AUROC"} <= {*re.findall(r">([^<>]+)</text>", drawn.text)}


def test_figures_alone(service: httpx.Client, strategies: list[Json]) -> None:
    address = f"/v1/audits/{strategies[1]['id']}/plots"
    svg = service.get(f"{address}/radar.svg")
    assert svg.headers["content-type"] == "image/svg+xml"
    assert ET.fromstring(svg.content).tag == "{http://www.w3.org/2000/svg}svg"
    assert "1 \N{MINUS SIGN} entropy" in svg.text
    assert service.get(f"{address}/radar.svg").content == svg.content
    png = service.get(f"{address}/noise-curve.png")
    assert png.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(png.content)).size == (880, 840)

    missing = service.get(f"{address}/nothing.svg")
    assert missing.status_code == 404
    assert "this report has where-maps-lie, radar, distribution-entropy-spatial, " in missing.json()["detail"]
    assert service.get(f"{address}/radar.gif").status_code == 404


def test_names_are_text_wherever_they_stand(service: httpx.Client, start: Callable[..., Json]) -> None:
    name = "<script>alert(1)</script> $\\frac{$ & \"quotes\" 'x' " + "long " * 20
    audit = start("cross_entropy_run1", name=name, sample_limit=2, protocol=ENTROPY_ONLY)
    told = {"description": "<script>why</script> before the release"}
    assert service.patch(f"/v1/audits/{audit['id']}", json=told).status_code == 200
    found = read(service, audit)
    assert "script" not in found.tags
    assert found.headings[0] == name
    assert "&lt;script&gt;why&lt;/script&gt; before the release" in found.text
    caveats = [*service.get(f"/v1/datasets/{audit['dataset_id']}").json()["notes"], *audit["notes"]]
    assert ("Before the numbers are read" in found.headings) == bool(caveats)
    assert all(escape(caveat) in found.text for caveat in caveats)


def test_an_audit_that_has_not_ended_has_no_report(
    service: httpx.Client, dataset: Json, models: dict[str, Json]
) -> None:
    body = {"dataset_id": dataset["id"], "model_ids": [models["cross_entropy_run1"]["id"]]}
    audit = service.post("/v1/audits", json=body).json()
    service.post(f"/v1/audits/{audit['id']}/cancel")
    answer = service.get(f"/v1/audits/{audit['id']}/report")
    assert (answer.status_code, answer.json()["code"]) == (409, "audit-cancelled")

"""Whole pages, of audits and comparisons with random scores: what stands where, and what does not."""

import hashlib
import re

import pytest

from app.reports.figures import drawings
from app.reports.figures.pairs import cell_colour, letters_on
from app.reports.figures.palette import contrast
from app.reports.figures.rendering import as_svg
from app.reports.figures.roc import RATES
from app.reports.job import ReportJob
from app.reports.page import page
from app.reports.pictures import Gallery, GallerySample, Tile
from app.reports.tiles import beside
from tests.reports import full_reports
from tests.reports.reading import Report, written
from tests.reports.small_reports import job, summary


def read(made: ReportJob) -> Report:
    return Report(page(made))


def test_three_classes_have_decisions_and_no_curve() -> None:
    found = read(full_reports.audit(["net"], classes=3))
    assert [row[0] for row in found.table("Decisions of net")[1:]] == [
        "net, clean",
        "net, salience removed",
        "net, non-salience removed",
    ]
    assert all(re.fullmatch(r"0\.\d{3}", cell) for row in found.table("Decisions of net")[1:] for cell in row[2:])
    assert "No ROC curves: with more than two classes" in found.words()
    assert not [label for label in found.labels if label.startswith("ROC")]


def test_samples_of_one_class_have_no_curve_either() -> None:
    made = full_reports.audit(["net"])
    for row in made.documents["1"]["performance"]:
        row |= {"auroc": None, "roc": None}
    words = read(made).words()
    assert "the samples with a label all belong to one class" in words
    assert "more than two classes" not in words


def test_a_curve_can_be_drawn_again_from_its_table() -> None:
    found = read(full_reports.audit(["net"]))
    head, *rows = found.table("ROC curves of net")
    assert head[1:] == [f"{rate:g}" for rate in RATES]
    assert RATES[:4] == (0.0, 0.01, 0.02, 0.05)
    assert len(RATES) == 3 + 10 + 5
    assert [row[-1] for row in rows] == ["1.000"] * 3
    assert "No ROC curves" not in found.words()
    assert "document has every corner" in found.words()


def test_without_labels_the_page_says_why_and_draws_the_maps_alone() -> None:
    made = full_reports.audit(["net"], classes=0)
    found = read(made)
    assert found.words().count("Neither accuracy nor AUROC: The data set has no labels.") == 2
    curve = drawings(made)["noise-curve"]
    assert "AUROC" not in as_svg(curve).decode() + curve.alt + curve.note + curve.title
    assert "AUROC" in as_svg(drawings(full_reports.audit(["net"]))["noise-curve"]).decode()


def test_the_noise_curve_begins_at_the_clean_images_and_has_a_fixed_range() -> None:
    made = full_reports.audit(["net"])
    curve = drawings(made)["noise-curve"]
    clean = next(row for row in made.documents["1"]["performance"] if row["condition"] == "clean")
    row = ("noise 0% (clean images)", "1.000", "0.000", written(clean["auroc"]), written(clean["accuracy"]), "0.0%")
    assert curve.tables[0].rows[0] == row
    assert "standard deviation" in curve.note
    assert "AUROC at 0 is that of the clean images" in curve.note
    ticks = re.findall(r">([01]\.\d)</text>", as_svg(curve).decode())
    # The amounts end at 0.5.
    assert (ticks.count("0.0"), ticks.count("1.0")) == (2 + 1, 2)


def test_single_models_have_a_sentence_in_place_of_stability() -> None:
    found = read(full_reports.comparison(["a", "b"]))
    assert found.words().count("every side here") == 0
    assert found.words().count("here every side is a single model") == 2
    assert not [caption for caption in found.tables if caption.startswith("Stability")]
    several = read(full_reports.audit(["a", "b"], as_runs=True))
    assert "here every side is a single model" not in several.words()


def test_cards_count_what_is_defined() -> None:
    row = summary("entropy", "spatial", 0.5, n=2, n_undefined=10)
    assert "95% 0.490 to 0.510; 2 of 12 samples" in read(job(row)).words()
    assert "of 10 samples" not in read(job(summary("entropy", "spatial", 0.5))).words()


def test_every_audit_has_its_provenance() -> None:
    made = full_reports.comparison(["a", "b"])
    made.documents["1"]["software"] = {"torch": "3.0"}
    rows = dict(read(made).table("Provenance")[1:])
    assert (rows["audit of audit 0"], rows["audit of audit 1"]) == ("0", "1")
    assert (rows["software of audit 0"], rows["software of audit 1"]) == ("torch 2.0", "torch 3.0")
    assert rows["processor"] == "cpu", "of both"
    assert rows["model a of audit 0"].endswith("; salience taken at layer of a")


def test_the_rules_behind_the_sentences_are_told() -> None:
    audit, compared = (read(made).words() for made in (full_reports.audit(["a"]), full_reports.comparison(["a", "b"])))
    assert "Equal accuracy: at most 2 points apart." in audit
    assert "about the choice of images" in audit
    assert "corrected by Holm for all tests" not in audit
    assert "corrected by Holm for all tests" in compared


def test_the_page_holds_its_own_digest() -> None:
    text = page(full_reports.audit(["a"]))
    (digest,) = re.findall(r'id="page-digest">([0-9a-f]{64})<', text)
    assert hashlib.sha256(text.replace(digest, "0" * 64).encode()).hexdigest() == digest


def test_captions_name_their_tables_and_do_not_scroll() -> None:
    text = page(full_reports.audit(["a", "b"]))
    assert "<caption" not in text
    named = re.findall(r'<table aria-labelledby="([^"]*)"', text)
    assert len(named) == len(set(named)) > 10
    assert all(f'class="caption" id="{name}"' in text for name in named)


def test_words_stand_at_the_left_with_their_heads() -> None:
    text = page(full_reports.comparison(["a", "b"]))
    assert re.search(r'<th scope="col" class="words">better</th>', text)
    assert re.search(r'<th scope="col" class="words long">how it is made</th>', text)
    assert "S<sub>E</sub>" in text


def test_the_contents_name_a_gallery_only_where_there_is_one() -> None:
    tile = Tile(caption="clean", jpeg=b"")
    exhibit = GallerySample(measure="entropy", title="t", sample="s", facts="f", image=None, rows=[])
    made = full_reports.audit(["net"])
    assert "#gallery-note" not in page(made)
    shown = made.model_copy(update={"gallery": Gallery(note="", exhibits=[exhibit.model_copy(update={"image": tile})])})
    assert "#gallery-note" in page(shown)


def test_a_view_stands_beside_its_own_clean_map() -> None:
    def tiles(*captions: str) -> list[Tile]:
        return [Tile(caption=caption, jpeg=b"") for caption in captions]

    image, rows = beside([(name, tiles("image", "clean", "noise 5%")) for name in ("a", "b")])
    assert image is not None
    assert image.caption == "image"
    assert [(row.name, [tile.caption for tile in row.tiles]) for row in rows] == [
        ("a", ["clean", "noise 5%"]),
        ("b", ["clean", "noise 5%"]),
    ]
    _, (row,) = beside([(name, tiles("image", "clean")) for name in ("a", "b")])
    assert [tile.caption for tile in row.tiles] == ["a: clean", "b: clean"]
    assert beside([("a", [])]) == (None, [])


def test_the_verdict_names_gate_and_baseline() -> None:
    condition = {"condition": "x", "outcome": "passed", "severity": "fail", "value": 1, "difference": None}
    verdict = {
        "subject": "net",
        "verdict": "passed",
        "warnings": 0,
        "gate": {"name": "release", "digest": "sha256:9"},
        "baseline": {"name": "before", "id": "77"},
        "conditions": [condition | {"threshold": 1, "explanation": "e"}],
    }
    words = read(job().model_copy(update={"verdicts": [verdict]})).words()
    assert "Gate release: sha256:9 . Baseline: audit before, 77 ." in words


@pytest.mark.parametrize("value", [None, -0.5, *(place / 100 for place in range(101))])
def test_numbers_on_a_matrix_can_be_read(value: float | None) -> None:
    """The cells look alike on a light page and a dark one."""
    assert contrast(letters_on(value), cell_colour(value)) >= 4.5


def test_a_matrix_is_drawn_in_these_colours() -> None:
    svg = as_svg(drawings(full_reports.audit(["a", "b"], as_runs=True))["stability"]).decode()
    assert cell_colour(0.1) in svg
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


def test_only_few_histograms_are_filled() -> None:
    """Four colours over each other are nobody's."""

    def fills(count: int) -> int:
        made = full_reports.audit([f"n{place}" for place in range(count)])
        return as_svg(drawings(made)["distribution-entropy-spatial"]).decode().count("opacity: 0.14")

    assert fills(3) == 3
    assert fills(4) == 0


def test_what_to_know_of_the_images_comes_before_the_numbers() -> None:
    """Of the data set once, of each audit under its name where there are several."""
    made = full_reports.comparison(["one", "two"])
    facts = {name: one.model_copy(update={"notes": ["training images"]}) for name, one in made.audits.items()}
    found = page(made.model_copy(update={"dataset_notes": ["No consent <b>"], "audits": facts}))
    caveats = found.partition('<ul class="caveats">')[2].partition("</ul>")[0]
    told = re.findall("<li>(.*?)</li>", caveats)
    assert told == ["No consent &lt;b&gt;", "audit 0: training images", "audit 1: training images"]
    assert found.index("caveats") < found.index('class="cards"')
    assert 'id="caveats"' not in page(made)

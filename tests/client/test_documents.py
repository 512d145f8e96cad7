"""Answers have types, as OpenAPI has them; notebooks show them; the worst score's picture is one call away."""

import json
from typing import Any

import httpx
import pytest
from documents_from_openapi import FILE, source

from salience_audit import Client
from salience_audit.documents import Audit, Model, Summary
from salience_audit.pictures import Picture
from salience_audit.results import Results

Json = dict[str, Any]
PNG = b"\x89PNG"


def test_the_types_are_those_of_openapi() -> None:
    assert FILE.read_text(encoding="utf-8") == source(), f"run {FILE.with_name('documents_from_openapi.py')} again"


class TestTypes:
    def test_a_field_is_the_key_of_that_name(self, client: Client, audit: Json, service: httpx.Client) -> None:
        found = client.audit(audit["id"])
        assert json.loads(json.dumps(found)) == service.get(f"/v1/audits/{audit['id']}").json()
        assert (found.id, found.status, found.progress.done) == (audit["id"], "succeeded", audit["progress"]["done"])
        assert found.gate is None

    def test_deep_ones(self, client: Client, audit: Json) -> None:
        results = client.results(audit["id"])
        assert isinstance(results.summaries[0], Summary)
        assert results.summaries[0].histogram.counts == results["summaries"][0]["histogram"]["counts"]
        model = next(client.models())
        assert isinstance(model, Model)
        assert model.description["architecture"].value == model["description"]["architecture"]["value"]

    def test_what_is_left_out_is_none_and_what_is_unknown_is_no_field(self) -> None:
        assert Summary(measure="entropy").skill is None
        with pytest.raises(AttributeError, match="Audit has no 'verdikt'; it has id, name"):
            Audit().verdikt  # type: ignore[attr-defined] # noqa: B018


class TestNotebooks:
    def test_results(self, client: Client, audit: Json) -> None:
        results = client.results(audit["id"])
        shown = results._repr_html_()
        totals = results.totals()
        assert {(row.group_by, row.group) for row in totals} == {("total", "macro")}
        assert len(totals) == 2 * 3 + 1
        assert all(f"<td>{row.view}</td>" in shown and f"<td>{row.mean:.4f}</td>" in shown for row in totals)
        assert "across subjects" in shown
        assert "<caption>Performance</caption>" in shown

    def test_any_document(self, audit: Json) -> None:
        hostile = Audit(audit | {"name": "<script>alert(1)</script>"})
        shown = hostile._repr_html_()
        assert "<caption>Audit</caption>" in shown
        assert "<td>succeeded</td>" in shown
        assert "<script>" not in shown

    def test_a_comparison(self, client: Client, audit: Json) -> None:
        compared = client.compare([audit["id"]], name="<b>runs</b>", by="model")
        shown = compared._repr_html_()
        assert "&lt;b&gt;runs&lt;/b&gt;" in shown
        assert all(f"<td>{row.difference:.4f}</td>" in shown for row in compared.totals() if row.difference is not None)

    def test_hostile_findings(self, client: Client, audit: Json) -> None:
        results = Results(client.results(audit["id"]))
        results["findings"] = [{"level": "note", "code": "x", "text": "<img src=x onerror=alert(1)>"}]
        assert "<img" not in results._repr_html_()


class TestPictures:
    @pytest.mark.parametrize(("measure", "view"), [("entropy", "spatial"), ("noise_reaction", "noise@0.05")])
    def test_the_worst(self, client: Client, audit: Json, measure: str, view: str) -> None:
        """Of entropy the highest, of all else the lowest."""
        rows = list(client.score_rows(audit["id"], measure=measure, view=view))
        scores = [row.score for row in rows if row.score is not None]
        picture = client.worst(audit["id"], measure, view)
        assert picture is not None
        assert picture.row["score"] == (max if measure == "entropy" else min)(scores)
        assert picture.png.startswith(PNG)
        again = client.map_picture(audit["id"], picture.row["sample_id"], picture.row["model_id"], view)
        assert picture.png == again
        assert "data:image/png;base64," in picture._repr_html_()

    def test_a_row_of_a_frame(self, client: Client, audit: Json) -> None:
        """Of a score across models the first one's."""
        frame = client.scores(audit["id"], measure="stability")
        row = {str(name): value for name, value in frame.iloc[0].to_dict().items()}
        picture = client.picture(audit["id"], row)
        assert picture.png == client.map_picture(audit["id"], row["sample_id"], audit["model_ids"][0])

    def test_what_is_shown_is_escaped(self) -> None:
        shown = Picture({"sample": "<script>", "score": 0.5}, PNG)._repr_html_()
        assert "<script>" not in shown


def test_the_worst_come_first_page_by_page(client: Client, audit: Json, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("salience_audit.connection.PAGE_ITEMS", 4)
    for measure, view, turned in (("entropy", "spatial", True), ("noise_reaction", "noise@0.05", False)):
        rows = [row.score for row in client.score_rows(audit["id"], measure=measure, view=view, order="worst")]
        assert rows == sorted((score for score in rows if score is not None), reverse=turned)
        frame = client.scores(audit["id"], "polars", measure=measure, view=view, order="worst")
        assert frame["score"].to_list() == rows

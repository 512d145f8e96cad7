"""Whose an undefined score is, and which baseline a verdict rests on."""

from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from app.domain.protocol import Protocol
from app.reports import audit_facts
from app.reports.audit_facts import owners, verdicts
from app.reports.series_part import Series
from app.results.inputs import audited_subjects

IDS = [UUID(int=1), UUID(int=2)]
NO_SESSION = cast("Any", None)


@pytest.fixture
def audit(monkeypatch: pytest.MonkeyPatch) -> Any:
    models = [SimpleNamespace(id=one, name=f"run{place}") for place, one in enumerate(IDS)]
    subjects = audited_subjects(Protocol(), cast("Any", models))
    monkeypatch.setattr(audit_facts, "all_subjects_in", lambda *_: subjects)
    return SimpleNamespace(id="1", protocol={})


def series(name: str, *model_ids: UUID) -> Series:
    return Series(name=name, audit_id="1", model_ids=tuple(map(str, model_ids)), totals=[], radar={})


def test_a_comparison_names_the_side(audit: Any) -> None:
    found = owners(NO_SESSION, audit, [series("recipe", *IDS)], alone=False)
    assert found == {0: "run0 (recipe)", 1: "run1 (recipe)", -1: "all runs of recipe"}


def test_an_audit_names_its_models(audit: Any) -> None:
    assert owners(NO_SESSION, audit, [series("recipe", *IDS)], alone=True) == {0: "run0", 1: "run1", -1: "all runs"}
    single = [series("a", IDS[0]), series("b", IDS[1])]
    assert owners(NO_SESSION, audit, single, alone=True) == {0: "a", 1: "b", -1: "all models"}


def test_single_models_of_several_audits_have_nothing_in_common(audit: Any) -> None:
    assert owners(NO_SESSION, audit, [series("a", IDS[0])], alone=False) == {0: "a"}


@pytest.mark.parametrize(
    ("name", "shown"), [("before", "before"), (None, "without a name"), ("", "deleted since")], ids=str
)
def test_a_verdict_names_its_baseline(name: str | None, shown: str) -> None:
    """An empty name stands for a baseline that was deleted."""
    gate = {"name": "g", "baseline_audit_id": str(IDS[0])}
    judged = cast("Any", SimpleNamespace(name="net", id="1", gate=gate, verdict={"verdict": "passed"}))
    row = None if name == "" else SimpleNamespace(name=name)
    session = cast("Any", SimpleNamespace(get=lambda *_: row))
    assert [one["baseline"] for one in verdicts(session, [judged])] == [{"id": str(IDS[0]), "name": shown}]

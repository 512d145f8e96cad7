"""Jobs with every number that a report shows, made from random scores by the code that makes them in earnest."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from app.domain.comparisons.difference_rows import difference_rows
from app.domain.comparisons.series import ScoreSeries
from app.domain.comparisons.significance import correct, sign_flip_rows
from app.domain.comparisons.totals import series_totals
from app.domain.measures import NOISE_REACTION
from app.domain.protocol import Protocol, ProtocolRequest
from app.domain.results.radar import radar
from app.domain.statistics.differences import ALPHA
from app.domain.summaries.groups import Groups
from app.domain.summaries.performance import CurveSource, Predictions, noise_curve, performance
from app.domain.summaries.score_table import ScoreTable
from app.domain.summaries.several_models import across_models
from app.domain.summaries.summarising import summarise
from app.domain.vocabulary import CLEAN, GroupBy
from app.reports.job import AuditFacts, ReportJob
from app.reports.pictures import Gallery
from app.reports.series import all_together, series_of_audit, series_of_comparison

Json = Any
"""Documents written by hand, with what a test is about and no more."""

SAMPLES = 24
MEASURES: Json = {
    "entropy": {},
    "noise_reaction": {"curve": [0.01, 0.5]},
    "geometric_resilience": {},
    "degradation": {},
    "stability": {},
}
PROTOCOL: Protocol = ProtocolRequest.model_validate({"measures": MEASURES}).resolve()


def scores_of(model: int) -> np.ndarray:
    return np.random.default_rng(model).uniform(0.3, 0.9, (SAMPLES, len(PROTOCOL.columns())))


def groups_of(classes: int) -> Groups:
    """Without classes, without labels."""
    labels = [f"label{place % classes}" if classes else None for place in range(SAMPLES)]
    return Groups(tuple(labels), tuple(f"source{place % 4}" for place in range(SAMPLES)))


def audit_document(names: list[str], classes: int = 2, audit_id: str = "1", first_model: int = 0) -> Json:
    """The results of models that are numbered from ``first_model``."""
    groups, seeds = groups_of(classes), range(first_model, first_model + len(names))
    blank = np.full((SAMPLES, len(PROTOCOL.columns())), np.nan)
    models = [
        summarise(ScoreTable(f"m{seed}", PROTOCOL.columns(), scores_of(seed), blank + 0.5, blank), groups, 0)
        for seed in seeds
    ]
    summaries = [row for model in models for row in model.rows]
    measured = [row for seed in seeds for row in _performance(seed, classes)] if classes else []
    settings = NOISE_REACTION.settings_in(PROTOCOL.measures)
    amounts = settings.amounts if settings else ()
    return {
        "audit_id": audit_id,
        "protocol": PROTOCOL.to_json(),
        "models": [
            {"model_id": f"m{seed}", "name": name, "digest": "sha256:0"}
            for seed, name in zip(seeds, names, strict=True)
        ],
        "summaries": summaries + _stability(groups, len(names)),
        "across_models": across_models(PROTOCOL.columns(), models),
        "stability": _pairs([f"m{seed}" for seed in seeds]),
        "performance": measured,
        "performance_reason": None if classes else "The data set has no labels.",
        "noise_curves": [noise_curve(CurveSource.of(f"m{seed}", summaries, measured), amounts) for seed in seeds],
        "software": {"torch": "2.0"},
    }


def _performance(seed: int, classes: int) -> list[Any]:
    generator, conditions = np.random.default_rng(seed), (CLEAN, *PROTOCOL.conditions())
    truth = np.arange(SAMPLES) % classes
    scored = (1,) if classes == 2 else tuple(range(classes))
    predicted = generator.integers(0, classes, (SAMPLES, len(conditions)))
    scores = generator.uniform(size=(SAMPLES, len(conditions), len(scored)))
    rows: list[Any] = [*performance(Predictions(f"m{seed}", conditions, scored, predicted, scores, truth), classes)]
    return rows


def _stability(groups: Groups, models: int) -> list[Any]:
    if models < 2:
        return []
    scores = scores_of(99)[:, :1]
    table = ScoreTable(None, PROTOCOL.pairing_columns(), scores, scores * np.nan, scores * np.nan)
    return [*summarise(table, groups, 0).rows]


def _pairs(model_ids: list[str]) -> Json | None:
    count = len(model_ids)
    if count < 2:
        return None
    means = [[1.0 if row == column else 0.1 * (row + column) for column in range(count)] for row in range(count)]
    return {"model_ids": model_ids, "pair_means": means, "mean_to_others": [0.5] * count, "apart_model_id": None}


def _job(documents: list[Json], **changes: Any) -> ReportJob:
    facts = {
        document["audit_id"]: AuditFacts(
            name=f"audit {document['audit_id']}",
            device_class="cpu",
            finished_at=None,
            layers={model["model_id"]: f"layer of {model['name']}" for model in document["models"]},
        )
        for document in documents
    }
    same = {"identity": "1", "title": "full", "dataset": "d", "dataset_digest": None, "finished_at": None}
    basis = {"sample_count": SAMPLES, "protocol": PROTOCOL.to_json(), "protocol_digest": "sha256:1"}
    made = {"documents": {document["audit_id"]: document for document in documents}, "audits": facts}
    rest = {"verdicts": [], "gallery": Gallery(note=""), "undefined": [], "together": None, "comparison": None}
    return ReportJob(**(same | basis | made | rest | changes))


def audit(names: list[str], classes: int = 2, *, as_runs: bool = False) -> ReportJob:
    document = audit_document(names, classes)
    all_series = series_of_audit(document, "recipe", as_runs=as_runs)
    return _job([document], kind="audit", all_series=all_series, together=all_together(document, all_series))


def comparison(names: list[str]) -> ReportJob:
    """Of one model each, an audit for every one."""
    documents = [audit_document([name], 2, str(place), place) for place, name in enumerate(names)]
    compared = ScoreSeries.of([scores_of(place) for place in range(len(names))], PROTOCOL.columns(), groups_of(2), 0)
    rows = difference_rows(compared)
    tested = [row for row in rows if (row["group_by"], row["group"]) == (GroupBy.TOTAL, "macro")]
    for row, (p_value, method) in zip(tested, sign_flip_rows(compared, 999), strict=True):
        row["p_value"], row["p_method"] = p_value, method
    correct(tested)
    statistics = {"difference": "d", "interval": "i", "test": "t", "family_size": len(tested), "alpha": ALPHA}
    all_series = [
        _series(document, totals) for document, totals in zip(documents, series_totals(compared), strict=True)
    ]
    found: Json = {"sides": all_series, "differences": rows, "statistics": statistics}
    return _job(documents, kind="comparison", all_series=series_of_comparison(found), comparison=found)


def _series(document: Json, totals: Sequence[Json]) -> Json:
    axes = radar(PROTOCOL, {(row["measure"], row["view"]): row["mean"] for row in totals})
    of_audit = {"audit_id": document["audit_id"], "audit_name": None, "models": document["models"]}
    return of_audit | {"across_models": [], "totals": totals, "radar": axes}

"""An audit's results as a section of a Hugging Face model card, and as a flat map of numbers."""

import re
from typing import Literal, TypedDict

import yaml

from app.domain.measures import lower_is_better, spec_of
from app.domain.models.fidelity import NO_REFERENCE, Fidelity
from app.domain.protocol import Protocol
from app.domain.results.documents import ResultsDocument
from app.domain.results.meaning import reason
from app.domain.results.radar import headline_views, radar
from app.domain.results.subjects import AuditedModel
from app.domain.results.summaries import AcrossModels, Summary
from app.domain.results.totals import macro_totals

Number = Literal["mean", "std", "ci95_low", "ci95_high", "control_mean", "flip_rate", "n", "n_undefined"]
NUMBERS: tuple[Number, ...] = (
    "mean",
    "std",
    "ci95_low",
    "ci95_high",
    "control_mean",
    "flip_rate",
    "n",
    "n_undefined",
)
_OTHER = re.compile(r"[^A-Za-z0-9_.-]+")


class _Entry(TypedDict):
    """Of a ``model-index``: one model, and what is known of it, as Hugging Face reads it."""

    name: str
    results: list[dict[str, object]]


def model_card(document: ResultsDocument, dataset_name: str) -> str:
    """Markdown: metadata with a ``model-index`` of every model, then the same numbers as a table."""
    metadata = {"model-index": [_entry(document, model, dataset_name) for model in document["models"]]}
    front = yaml.safe_dump(metadata, sort_keys=False, allow_unicode=True)
    return f"---\n{front}---\n\n{_section(document, dataset_name)}"


def _entry(document: ResultsDocument, model: AuditedModel, dataset_name: str) -> _Entry:
    result: dict[str, object] = {
        "task": {"type": "image-classification", "name": "Salience audit"},
        "dataset": {
            "name": dataset_name,
            "type": _OTHER.sub("-", dataset_name).strip("-").lower() or "dataset",
            "revision": document["dataset_digest"],
            "args": {"protocol_digest": document["protocol_digest"], "samples": document["sample_count"]},
        },
        "metrics": [
            {
                "type": f"salience_{row['measure']}",
                "name": f"{spec_of(row['measure']).card_title}, {row['view']}, {_direction(row)} is better"
                f"{_aside(row)}",
                "value": row["mean"],
            }
            for row in _headlines(document, model["model_id"])
        ],
    }
    return {"name": model["name"], "results": [result]}


def _aside(row: Summary) -> str:
    """A number that says nothing must not travel without its reason."""
    return f" (says nothing: {reason(row['says_nothing'])})" if row["says_nothing"] else ""


def _direction(row: Summary) -> str:
    return "lower" if lower_is_better(row["measure"], row["view"]) else "higher"


def _headlines(document: ResultsDocument, model_id: str) -> list[Summary]:
    """The macro totals behind the measures; those of a pairing belong to every model of the audit."""
    views = headline_views(Protocol.model_validate(document["protocol"]))
    return [
        row
        for row in macro_totals(document)
        if row["model_id"] in {model_id, None} and row["view"] in views[row["measure"]] and row["mean"] is not None
    ]


def _section(document: ResultsDocument, dataset_name: str) -> str:
    lines = [
        "## Salience audit",
        "",
        f"Data set {_plain(dataset_name)}, {document['sample_count']} samples.",
        f"Protocol `{document['protocol_digest']}`.",
        *(f"The model {_plain(model['name'])} is {_fidelity(model)}." for model in document["models"]),
        "",
        "| model | measure | view | mean | 95% interval | better | says nothing, since |",
        "| --- | --- | --- | ---: | ---: | --- | --- |",
    ]
    for model in document["models"]:
        for row in _headlines(document, model["model_id"]):
            cells = (
                _plain(model["name"]),
                row["measure"],
                row["view"],
                f"{row['mean']:.3f}",
                _interval(row),
                _direction(row),
                reason(row["says_nothing"]),
            )
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _fidelity(model: AuditedModel) -> str:
    """Whether what was audited is what its owner trained."""
    fidelity = Fidelity.of(model.get("fidelity"))
    return NO_REFERENCE if fidelity is None else fidelity.in_words()


def _interval(row: Summary) -> str:
    """None where there were too few samples for one."""
    return "none" if row["ci95_low"] is None else f"{row['ci95_low']:.3f} to {row['ci95_high']:.3f}"


def _plain(name: str) -> str:
    """On one line, without what Markdown or HTML would read as markup."""
    return re.sub(r"([\\`*_\[\]<>|#&~])", r"\\\1", " ".join(name.split()))


def flat_metrics(document: ResultsDocument) -> dict[str, float]:
    """Name -> number, for MLflow and its kin: macro totals, performance and the radar; undefined numbers are left out.

    An audit of several models has each model's numbers under ``models/PLACE/`` and their means without it. Beside each
    mean and each axis of the radar, ``says_nothing`` is 1 where it does not count, else 0.
    """
    several = len(document["models"]) > 1
    places: dict[str | None, str] = {
        model["model_id"]: f"models/{place}/" if several else "" for place, model in enumerate(document["models"])
    }
    found: dict[str, float | None] = {}
    for row in macro_totals(document):
        name = f"{places.get(row['model_id'], '')}{_name(row)}"
        found |= {f"{name}.{number}": row[number] for number in NUMBERS}
        found[f"{name}.says_nothing"] = bool(row["says_nothing"])
    for decided in document["performance"]:
        name = f"{places[decided['model_id']]}performance.{_safe(decided['condition'])}"
        found |= {f"{name}.accuracy": decided["accuracy"], f"{name}.auroc": decided["auroc"]}
    for across in document["across_models"] if several else ():
        if across["group"] == "macro":
            name = _name(across)
            found |= {f"{name}.mean": across["mean"], f"{name}.std_over_models": across["std"]}
            found[f"{name}.says_nothing"] = bool(across["says_nothing"])
    for measure, (axis, silent) in _radar(document).items():
        found |= {f"radar.{measure}": axis, f"radar.{measure}.says_nothing": None if axis is None else silent}
    return {name: float(value) for name, value in sorted(found.items()) if value is not None}


def _radar(document: ResultsDocument) -> dict[str, tuple[float | None, bool]]:
    """Every axis, and whether any of the numbers that it is made of says nothing."""
    protocol = Protocol.model_validate(document["protocol"])
    rows: list[Summary | AcrossModels] = [row for row in document["across_models"] if row["group"] == "macro"]
    rows += [row for row in macro_totals(document) if row["model_id"] is None]
    silent = {(row["measure"], row["view"]) for row in rows if row["says_nothing"]}
    axes = radar(protocol, {(row["measure"], row["view"]): row["mean"] for row in rows})
    headlines = headline_views(protocol)
    return {
        measure: (value, any((measure, view) in silent for view in headlines.get(measure, ())))
        for measure, value in axes.items()
    }


def _name(row: Summary | AcrossModels) -> str:
    return f"{row['measure']}.{_safe(row['view'])}"


def _safe(view: str) -> str:
    """MLflow allows no @ in a name."""
    return _OTHER.sub("_", view)

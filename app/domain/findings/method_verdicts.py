"""Measures by which another model is the best under another CAM method."""

from collections.abc import Iterator

from app.domain.measures import view_title
from app.domain.results.documents import MethodRanks, ResultsDocument
from app.domain.results.findings import Finding, Level
from app.domain.subjects import model_of


def method_verdicts(document: ResultsDocument) -> Iterator[Finding]:
    """One a headline number and pair of methods each of which has another model before the other's best, by more than
    the interval of their paired difference leaves to noise.
    """
    names = {model_of(model["model_id"]): model["name"] for model in reversed(document["models"])}
    for ranks in document.get("method_ranks") or []:
        best = [names[model] for model in ranks["best_model_ids"]]
        if ranks.get("reverses", len(set(best)) > 1):
            yield Finding(
                code="verdict-depends-on-method",
                level=Level.NOTE,
                measure=ranks["measure"],
                text=f"{_number(ranks)} chooses {best[0]} under {ranks['methods'][0]}, and {best[1]} under "
                f"{ranks['methods'][1]}, both beyond noise{_told(ranks)}: which model is better hangs on the method.",
                evidence={**ranks},
            )


def _number(ranks: MethodRanks) -> str:
    return f"{ranks['measure']} ({view_title(ranks['view'])})"


def _told(ranks: MethodRanks) -> str:
    tau = ranks["tau"]
    return "" if tau is None else f" (Kendall's tau of {ranks['n_models']} models {tau:.2f})"

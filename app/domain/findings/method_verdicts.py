"""Measures by which models rank otherwise under another CAM method."""

from collections.abc import Iterable, Iterator, Mapping

from app.domain.audits.subjects import model_of
from app.domain.measures import view_title
from app.domain.protocol import Protocol
from app.domain.results.documents import ResultsDocument
from app.domain.results.findings import Finding, Level
from app.domain.results.ranks import MethodRanks


def method_verdicts(document: ResultsDocument) -> Iterator[Finding]:
    """Of the models of one audit."""
    names = {model_of(model["model_id"]) or "": model["name"] for model in reversed(document["models"])}
    least_tau = Protocol.model_validate(document["protocol"]).findings.method_tau
    yield from verdicts_of(document.get("method_ranks") or [], names, least_tau)


def verdicts_of(every: Iterable[MethodRanks], names: Mapping[str, str], least_tau: float) -> Iterator[Finding]:
    """One a headline number and pair of methods each of which has another model before the other's best, by more than
    the interval of their paired difference leaves to noise; or else whose ranks have a lower tau than ``least_tau``.

    ``names`` are the models', by id.
    """
    for ranks in every:
        best = [names[model] for model in ranks["best_model_ids"]]
        tau = ranks["tau"]
        if ranks.get("reverses", len(set(ranks["best_model_ids"])) > 1):
            yield _found("verdict-depends-on-method", ranks, _reversed(ranks, best))
        elif tau is not None and tau < least_tau:
            yield _found("ranks-depend-on-method", ranks, _reordered(ranks, best, least_tau))


def _found(code: str, ranks: MethodRanks, text: str) -> Finding:
    return Finding(code=code, level=Level.NOTE, measure=ranks["measure"], text=text, evidence={**ranks})


def _reversed(ranks: MethodRanks, best: list[str]) -> str:
    tau, (first, second) = ranks["tau"], ranks["methods"]
    told = "" if tau is None else f" (Kendall's tau of {ranks['n_models']} models {tau:.2f})"
    return (
        f"{_number(ranks)} chooses {best[0]} under {first}, and {best[1]} under {second}, both beyond noise{told}: "
        "which model is better hangs on the method."
    )


def _reordered(ranks: MethodRanks, best: list[str], least_tau: float) -> str:
    first, second = ranks["methods"]
    same = f", although both choose {best[0]}" if len(set(ranks["best_model_ids"])) == 1 else ""
    return (
        f"{_number(ranks)} ranks {ranks['n_models']} models otherwise under {first} than under {second}{same}: "
        f"Kendall's tau is {ranks['tau']:.2f}, below {least_tau:g}."
    )


def _number(ranks: MethodRanks) -> str:
    return f"{ranks['measure']} ({view_title(ranks['view'])})"

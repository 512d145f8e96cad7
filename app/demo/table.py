"""The table of the paper (Table 1, and Table 2 for the geometry), one column a training strategy; and a verdict."""

from collections.abc import Mapping

from rich.table import Table

from salience_audit.documents import AcrossModels, Audit, ResultsDocument, Summary

ROWS = (
    ("S_E  entropy (spatial), lower = focused", "entropy", "spatial"),
    ("S_N  noise 5%", "noise_reaction", "noise@0.05"),
    ("S_G  shifts", "geometric_resilience", "shifts"),
    ("S_G  flips", "geometric_resilience", "flips"),
    ("S_G  rotations", "geometric_resilience", "rotations"),
    ("S_D  salience removed", "degradation", "salience_removed"),
    ("S_D  non-salience removed", "degradation", "non_salience_removed"),
    ("S_S  stability across runs", "stability", "pairs"),
)


def comparison_table(results: Mapping[str, ResultsDocument]) -> Table:
    """Macro means, mean and spread over the models of each run group; controls in brackets."""
    table = Table(title="Salience audit: mean over three runs ± spread over runs (control in brackets)")
    table.add_column("measure")
    for strategy in results:
        table.add_column(strategy, justify="right")
    for title, measure, view in ROWS:
        table.add_row(title, *(_cell(document, measure, view) for document in results.values()))
    for title, condition in (("accuracy, clean", "clean"), ("AUROC, clean", "clean")):
        number = "accuracy" if title.startswith("accuracy") else "auroc"
        table.add_row(title, *(_performance(document, condition, number) for document in results.values()))
    return table


def verdict_lines(audit: Audit, baseline: str, judged: str) -> list[str]:
    """What an audit's gate says, then each of its conditions."""
    head = f"Gate {audit['gate']['name']}, {judged} judged against {baseline}: {audit['verdict']}"
    return [head, *(f"  {row['outcome']:12} {row['explanation']}" for row in audit["conditions"])]


def _cell(document: ResultsDocument, measure: str, view: str) -> str:
    """Stability is one number for all runs, so nothing spreads over them."""
    rows = [row for row in document["summaries"] if _is_macro_total(row, measure, view)]
    if measure == "stability":
        return f"{rows[0]['mean']:.3f}"
    across = next(row for row in document["across_models"] if _is_macro_total(row, measure, view))
    controls = [row["control_mean"] for row in rows if row["control_mean"] is not None]
    control = f" ({sum(controls) / len(controls):.3f})" if controls else ""
    return f"{across['mean']:.3f} ± {across['std']:.3f}{control}"


def _is_macro_total(row: Summary | AcrossModels, measure: str, view: str) -> bool:
    wanted = {"measure": measure, "view": view, "group_by": "total", "group": "macro"}
    return wanted.items() <= row.items()


def _performance(document: ResultsDocument, condition: str, number: str) -> str:
    values = [row[number] for row in document["performance"] if row["condition"] == condition]
    return f"{sum(values) / len(values):.3f}"

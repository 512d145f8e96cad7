"""The paper's tables with our numbers beside it, as Markdown that reads well in a terminal too."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from examples.paper.auditing import GROUPS, Audited
from examples.paper.published import TABLE_1, TABLE_2, Row
from examples.paper.sources import SOURCES
from salience_audit.results import Results

CONDITIONS = ("clean", "noise@0.05", "salience_removed", "non_salience_removed")
"""The images of Figure 9."""
AXES = {
    "entropy": "1 - S_E",
    "noise_reaction": "S_N",
    "geometric_resilience": "S_G",
    "degradation": "S_D",
    "stability": "S_S",
}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns as wide as their widest cell; all but the first to the right."""
    cells = [list(head), *(list(row) for row in rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(head))]
    lines = [
        " | ".join(_padded(cell, width, n) for n, (cell, width) in enumerate(zip(row, widths, strict=True)))
        for row in cells
    ]
    rule = " | ".join("-" * width if n == 0 else "-" * (width - 1) + ":" for n, width in enumerate(widths))
    return "\n".join(f"| {line} |" for line in (lines[0], rule, *lines[1:]))


def measure_table(audited: Audited, rows: Sequence[Row]) -> str:
    """Of every group our macro total, mean ± spread over its runs, and in brackets the paper's; * says nothing."""
    head = ("", *(f"{strategy} {network} (paper)" for network, strategy in GROUPS))
    made = []
    for row in rows:
        ours = _cells(audited, row.measure, row.view)
        made.append((row.title, *(f"{one} ({paper:.3f})" for one, paper in zip(ours, row.paper, strict=True))))
        if row.measure == "entropy":  # that of the paper's text; its numbers stand beside the one of its notebook
            made.append(("S_E spatial reading", *(f"{one} (-)" for one in _cells(audited, "entropy", "spatial"))))
    return table(head, made)


def source_table(audited: Audited) -> str:
    """The rows of both tables by source: real faces, and each way of making one anew."""
    head = ("", "source", *(" ".join(reversed(group)) for group in GROUPS))
    rows = [
        (row.title, source, *(_mean_of(results, row.measure, row.view, source) for results in audited.results.values()))
        for row in (*TABLE_1, *TABLE_2)
        for source in ("lfw", *SOURCES)
    ]
    return table(head, rows)


def silences(audited: Audited) -> Iterator[str]:
    """Which numbers of the tables say nothing, and why."""
    for row in (*TABLE_1, *TABLE_2):
        for group, results in audited.results.items():
            codes = total(results, row.measure, row.view)["says_nothing"]
            if codes:
                yield f"{row.title}, {' '.join(reversed(group))}: {', '.join(codes)}"


def noise_table(audited: Audited) -> str:
    """Figure 4: mean score and AUROC of each group by the amount of noise, means over its runs."""
    head = ("noise", *(" ".join(reversed(group)) for group in GROUPS))
    curves = [[curve["points"] for curve in results["noise_curves"]] for results in audited.results.values()]
    amounts = [point["amount"] for point in curves[0][0]]
    clean = (
        "0 AUROC",
        *(
            _number(_mean(curve["clean_auroc"] for curve in results["noise_curves"]))
            for results in audited.results.values()
        ),
    )
    rows = [
        (f"{amount:g} {title}", *(_number(_mean(points[place][name] for points in group)) for group in curves))
        for place, amount in enumerate(amounts)
        for title, name in (("S_N", "mean"), ("AUROC", "auroc"))
    ]
    return table(head, [clean, *rows])


def decision_table(audited: Audited) -> str:
    """Figure 9: AUROC and accuracy of each group by kind of image, means over its runs."""
    head = ("images", *(" ".join(reversed(group)) for group in GROUPS))
    rows = [
        (f"{condition} {title}", *(_number(_decided(results, condition, name)) for results in audited.results.values()))
        for condition in CONDITIONS
        for title, name in (("AUROC", "auroc"), ("accuracy", "accuracy"))
    ]
    return table(head, rows)


def total(results: Results, measure: str, view: str) -> dict[str, Any]:
    """The macro total over a group's models; of stability, which is one number for all of them, its summary."""
    rows = results["summaries"] if measure == "stability" else results["across_models"]
    wanted = {"measure": measure, "view": view, "group_by": "total", "group": "macro"}
    found: dict[str, Any] = next(row for row in rows if wanted.items() <= row.items())
    return found


def _cells(audited: Audited, measure: str, view: str) -> list[str]:
    rows = [total(results, measure, view) for results in audited.results.values()]
    return [_cell(row, measure) for row in rows]


def _cell(row: dict[str, Any], measure: str) -> str:
    spread = "" if measure == "stability" or row["std"] is None else f" ± {row['std']:.3f}"
    return f"{_number(row['mean'])}{spread}{'*' if row['says_nothing'] else ''}"


def _mean_of(results: Results, measure: str, view: str, source: str) -> str:
    wanted = {"measure": measure, "view": view, "group_by": "source", "group": source}
    return _number(_mean(row["mean"] for row in results["summaries"] if wanted.items() <= row.items()))


def _decided(results: Results, condition: str, name: str) -> float | None:
    return _mean(row[name] for row in results["performance"] if row["condition"] == condition)


def _mean(values: Iterable[float | None]) -> float | None:
    """None where there is none, or where one of them is not defined."""
    found = list(values)
    defined = [value for value in found if value is not None]
    return sum(defined) / len(defined) if defined and len(defined) == len(found) else None


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _padded(cell: str, width: int, place: int) -> str:
    return cell.ljust(width) if place == 0 else cell.rjust(width)

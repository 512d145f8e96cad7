"""What a comparison makes of stored scores, a block of columns at a time: differences, their tests, totals."""

from dataclasses import dataclass, field

import numpy as np
from sqlalchemy.orm import Session

from app.db.tables import AuditRow
from app.domain.comparisons.difference_rows import difference_rows
from app.domain.comparisons.farthest import FarSamples, most_different
from app.domain.comparisons.series import ScoreSeries
from app.domain.comparisons.significance import correct, sign_flip_rows
from app.domain.comparisons.totals import series_totals
from app.domain.protocol import Protocol
from app.domain.results.comparisons import DifferenceRow, SideTotal
from app.domain.results.radar import headline_views
from app.domain.results.totals import MACRO
from app.domain.statistics.differences import draws_for
from worker.results.compared_sides import ComparedSide
from worker.results.series import column_blocks, read_groups, read_series

COPIES = 4
"""Of the differences: the differences, the same on the grid, and the bootstrap's two."""


@dataclass
class Tables:
    """What the blocks of columns add up to."""

    draws: int
    clusters: int | None
    """How many there are, where samples are of any."""
    totals: list[list[SideTotal]]
    differences: list[DifferenceRow] = field(default_factory=list)
    samples: list[FarSamples] = field(default_factory=list)

    @property
    def tested(self) -> list[DifferenceRow]:
        """The family of the correction."""
        return [row for row in self.differences if _is_macro(row)]


def read_tables(session: Session, compared: list[ComparedSide], protocol: Protocol, first: AuditRow) -> Tables:
    columns = (
        *protocol.columns(),
        *(protocol.pairing_columns() if all(one.series.has_pairings for one in compared) else ()),
    )
    pairs = len(compared) * (len(compared) - 1) // 2
    groups, headlines = read_groups(session, first.id), _headlines(protocol)
    codes = groups.clusters
    clusters = None if codes is None else np.unique(codes).size
    tables = Tables(draws_for(len(columns) * pairs), clusters, [[] for _ in compared])
    for block in column_blocks(columns, 2 * len(compared) + COPIES * pairs, first.sample_count):
        scores = [read_series(session, one.series, block, one.protocol, first.sample_count) for one in compared]
        series = ScoreSeries.of(scores, block, groups, protocol.seed)
        rows = difference_rows(series)
        macro = [row for row in rows if _is_macro(row)]
        for row, (p_value, method) in zip(macro, sign_flip_rows(series, tables.draws), strict=True):
            row["p_value"], row["p_method"] = p_value, method
        tables.differences += rows
        tables.samples += most_different(series, headlines)
        for totals, more in zip(tables.totals, series_totals(series), strict=True):
            totals.extend(more)
    order = {(column.measure, column.view): place for place, column in enumerate(columns)}
    # A stable sort: pair by pair, column by column, groups as they came, whatever the blocks were.
    tables.differences.sort(key=lambda row: (row["first"], row["second"], order[row["measure"], row["view"]]))
    tables.samples.sort(key=lambda table: (table["first"], table["second"], order[table["measure"], table["view"]]))
    correct(tables.tested)
    return tables


def _is_macro(row: DifferenceRow) -> bool:
    return (row["group_by"], row["group"]) == MACRO


def _headlines(protocol: Protocol) -> set[tuple[str, str]]:
    return {(measure, view) for measure, views in headline_views(protocol).items() for view in views}

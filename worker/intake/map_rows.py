"""A row for each map that came: of which image it is, or why it is of none."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.db.identifiers import new_id
from app.db.tables import MapRow
from app.domain.refusals.maps import AMBIGUOUS_NAME, NO_SAMPLE, OTHER_SIZE, PICTURE_UNREADABLE, SECOND_MAP
from app.domain.vocabulary import CLEAN, SampleStatus
from worker.intake.handed_out import Place
from worker.intake.taken_maps import TakenMaps
from worker.wire.facts import MapFacts

BATCH = 500
MOST_LISTED = 10_000
"""Of what came and is no map; the rest is counted."""

Find = Callable[[str], Place | None]
"""Of which image a map of that name is. Raises KeyError where it fits several."""
Row = dict[str, Any]

_EMPTY: Row = dict.fromkeys(
    ("sample_id", "problem", "height", "width", "fixations", "offset", "stored_size", "size", "compression", "crc32")
)


@dataclass
class MapRows:
    """Of one map set. ``is_one_size``: whether all its maps have the first one's, as those of handed out images do."""

    map_set_id: UUID
    find: Find
    is_one_size: bool
    taken: TakenMaps
    unreadable: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    _size: str | None = None

    def store(self, session: Session, came: Iterable[tuple[MapFacts, bytes]]) -> None:
        """In the order in which they came; their numbers are written."""
        judged = (self._row(facts, content) for facts, content in came)
        while rows := list(islice(judged, BATCH)):
            kept = [_EMPTY | row for row in rows if self._is_listed(row)]
            if kept:
                session.execute(insert(MapRow), kept)

    def _row(self, facts: MapFacts, content: bytes) -> Row:
        made: Row = {"id": new_id(), "map_set_id": self.map_set_id, "name": facts.name, "view": CLEAN}
        if facts.code is not None:
            return made | _unreadable(facts.code, facts.detail)
        try:
            place = self.find(facts.name)
        except KeyError:
            return made | _unreadable(AMBIGUOUS_NAME.code, AMBIGUOUS_NAME.detail(name=repr(facts.name)))
        if place is None:
            return made | _unreadable(NO_SAMPLE.code, NO_SAMPLE.detail(name=repr(facts.name)))
        of_image = made | {"view": place.view, "sample_id": place.sample.id}
        return of_image | (self._refused(facts, place) or self._written(facts, content, place))

    def _refused(self, facts: MapFacts, place: Place) -> Row | None:
        """Where the maps before it leave no room for it."""
        size = f"{facts.height} x {facts.width}"
        if self.is_one_size and (self._size or size) != size:
            detail = OTHER_SIZE.detail(name=repr(facts.name), size=size, first=self._size)
            return _unreadable(OTHER_SIZE.code, detail)
        self._size = size
        first = self.taken.maps.get((place.sample.name, place.view))
        if first is not None:
            detail = SECOND_MAP.detail(name=repr(place.sample.name), first=repr(first[0]))
            return _unreadable(SECOND_MAP.code, detail)
        return None

    def _written(self, facts: MapFacts, content: bytes, place: Place) -> Row:
        if facts.is_in_vain:
            return _unreadable(PICTURE_UNREADABLE.code, PICTURE_UNREADABLE.detail(what="it was left out."))
        return self.taken.add(facts, content, (place.sample.name, place.view), place.clean_map)

    def _is_listed(self, row: Row) -> bool:
        if row["status"] != SampleStatus.UNREADABLE:
            return True
        self.unreadable += 1
        self.reasons[row["problem"]["code"]] += 1
        return self.unreadable <= MOST_LISTED


def _unreadable(code: str, detail: str) -> Row:
    return {"status": SampleStatus.UNREADABLE, "problem": {"code": code, "detail": detail}}

"""Does a subject's salience lie where given maps have it: which of an audit's map sets it is compared with."""

from collections.abc import Sequence
from functools import cache

from app.domain.measures.agreement import AgreementSettings, view_of_given
from worker.given.comparing import Compared, compared, joined
from worker.given.lists import MapList, mean_of, parts_of

Target = int | None
"""A map set, by its place among those of the audit; None: the mean of all but the subject's own."""


def targets_of(map_sets: int, itself: int | None) -> tuple[Target, ...]:
    """Of a subject, which may be one of the map sets ``itself``: against that one it has no score."""
    others = (place for place in range(map_sets) if place != itself)
    return (*others, *((None,) if map_sets > 1 else ()))


class Targets:
    """What subjects are compared with. The mean of what several leave out alike is made once."""

    def __init__(self, map_sets: Sequence[MapList]) -> None:
        self._map_sets = map_sets
        self._rest = cache(self._mean_of_others)

    def of(self, target: Target, itself: int | None) -> MapList:
        """Of a subject ``itself`` is left out, so that the mean over map sets is the ceiling of what a model can
        reach."""
        return self._rest(itself) if target is None else self._map_sets[target]

    def _mean_of_others(self, itself: int | None) -> MapList:
        return mean_of([one for place, one in enumerate(self._map_sets) if place != itself])


def agreement_with_given(
    settings: AgreementSettings, models: Sequence[MapList], map_sets: Sequence[MapList]
) -> list[dict[str, Compared]]:
    """Of every subject, models first, by view: ``cc@1`` against the first map set, ``cc@rest`` against the mean of
    all but the subject's own."""
    parts = [
        _agreement(settings, [one.of(places) for one in models], [one.of(places) for one in map_sets])
        for places in parts_of([*models, *map_sets])
    ]
    return [{view: joined([one[view] for one in own]) for view in own[0]} for own in zip(*parts, strict=True)]


def _agreement(
    settings: AgreementSettings, models: Sequence[MapList], map_sets: Sequence[MapList]
) -> list[dict[str, Compared]]:
    targets = Targets(map_sets)
    subjects = [*((own, None) for own in models), *((own, place) for place, own in enumerate(map_sets))]
    asked = [
        (number, target, (own, targets.of(target, itself)))
        for number, (own, itself) in enumerate(subjects)
        for target in targets_of(len(map_sets), itself)
    ]
    found: list[dict[str, Compared]] = [{} for _ in subjects]
    scores = compared([pair for *_, pair in asked], settings.similarities)
    for (number, target, _), by_similarity in zip(asked, scores, strict=True):
        found[number] |= {view_of_given(one, target): score for one, score in by_similarity.items()}
    return found

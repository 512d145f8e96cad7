"""Does a subject's salience lie where given maps have it: its clean maps against those of an audit's map sets."""

from collections.abc import Mapping, Sequence

from app.domain.measures.agreement import AgreementSettings, view_of_given
from worker.measures.base import Score
from worker.measures.comparing import MapList, compared, mean_of


def agreement_with_given(
    settings: AgreementSettings, own: MapList, map_sets: Sequence[MapList], itself: int | None
) -> Mapping[str, Score]:
    """By view: ``cc@1`` against the first map set, ``cc@rest`` against the mean of all but the subject's own.

    ``itself`` is the subject's place among the map sets, against which it has no score; None of a model. Of a map set
    ``rest`` leaves one out, so that the mean over map sets is the ceiling of what a model can reach.
    """
    others = [place for place in range(len(map_sets)) if place != itself]
    targets = {place: map_sets[place] for place in others}
    found: dict[str, Score] = {}
    for place in (*others, *((None,) if len(map_sets) > 1 else ())):
        target = mean_of([map_sets[other] for other in others]) if place is None else targets[place]
        for similarity, score in compared(own, target, settings.similarities).items():
            found[view_of_given(similarity, place)] = score
    return found

"""What pairings make of the clean maps of several subjects, and agreement with map sets of each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import combinations

import torch

from app.domain.audits.subjects import Pairing
from app.domain.measures import AGREEMENT
from worker.engine.comparing import at_size, score_of
from worker.engine.measuring import Outcome
from worker.functional.similarities import smallest
from worker.given.comparing import Compared
from worker.measures import PAIRINGS
from worker.measures.base import Pairing as PairMeasure
from worker.measures.base import PairScores, Score, first_reasons
from worker.views.maps import SalienceMaps


def paired(pairing: Pairing, clean: Sequence[Sequence[SalienceMaps]]) -> PairScores:
    """Over all groups of the pairing; one group alone is what its measure makes of it. ``clean`` are by subject, in as
    many parts as its samples were looked at."""
    parts = [_part(pairing, own) for own in zip(*(clean[place] for place in sorted(pairing.members)), strict=True)]
    return parts[0] if len(parts) == 1 else _joined(parts)


def _part(pairing: Pairing, maps: Sequence[SalienceMaps]) -> PairScores:
    measure, by_place = PAIRINGS[pairing.column.measure], dict(zip(sorted(pairing.members), maps, strict=True))
    return _together([_of_group(measure, [by_place[place] for place in group]) for group in pairing.groups])


def _of_group(measure: PairMeasure, maps: Sequence[SalienceMaps]) -> PairScores:
    """Maps of several sizes two by two, each pair at the smaller one's: a third, smaller map takes nothing from it.
    What several pairs compare at one size is resampled once."""
    if len({tuple(one.native.shape[1:]) for one in maps}) == 1:
        return measure(list(maps))
    resampled = cache(lambda place, size: at_size(maps[place], size))

    def at_one_size(pair: tuple[int, int]) -> list[SalienceMaps]:
        size = smallest(tuple(maps[place].native.shape[1:]) for place in pair)
        return [resampled(place, size) for place in pair]

    return _together([measure(at_one_size(pair)) for pair in combinations(range(len(maps)), 2)])


def _together(found: Sequence[PairScores]) -> PairScores:
    """All pairs of all of them."""
    if len(found) == 1:
        return found[0]
    pairs = tuple(pair for one in found for pair in one.pairs)
    mean = torch.stack([pair.values for pair in pairs]).double().mean(0)
    return PairScores(Score(mean, first_reasons(list(pairs))), pairs)


def _joined(parts: Sequence[PairScores]) -> PairScores:
    """Of samples that were compared one by one."""
    pairs = tuple(_one_after_the_other(own) for own in zip(*(part.pairs for part in parts), strict=True))
    return PairScores(_one_after_the_other([part.score for part in parts]), pairs)


def _one_after_the_other(scores: Sequence[Score]) -> Score:
    return Score(torch.cat([one.values for one in scores]), tuple(reason for one in scores for reason in one.reasons))


def with_agreement(parts: Sequence[Outcome], found: Mapping[str, Compared]) -> Iterator[Outcome]:
    """Scores of all samples, by view, among those of each part."""
    start, scores = 0, {view: score_of(one) for view, one in found.items()}
    for part in parts:
        stop = start + len(part.clean.predicted)
        own = {
            (AGREEMENT.name, view): Score(one.values[start:stop], one.reasons[start:stop])
            for view, one in scores.items()
        }
        yield replace(part, scores={**part.scores, **own})
        start = stop

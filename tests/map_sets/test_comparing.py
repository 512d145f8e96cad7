"""Maps of any sizes compared by many similarities at once give what each pair alone gives, or the true reason."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr
from skimage.metrics import structural_similarity
from skimage.transform import resize_local_mean
from sklearn.metrics import roc_auc_score

from app.domain.maps.similarities import Similarity
from app.domain.measures.agreement import AgreementSettings
from app.domain.vocabulary import UndefinedReason
from worker.functional import ranks
from worker.functional.similarities import OF_MAPS, correlation
from worker.given.agreement import agreement_with_given
from worker.given.comparing import compared, values_of
from worker.given.lists import MapList, mean_of, parts_of
from worker.given.maps import Values

SIDES = (7, 20, 45, 150)


def made(*sides: tuple[int, int], seed: int = 0) -> MapList:
    draw = np.random.default_rng(seed)
    maps = [np.maximum(draw.random(side, np.float32) - np.float32(0.2), 0) for side in sides]
    points = [draw.random((9, 2)) for _ in sides]
    return MapList(maps, (None,) * len(maps), points)


def alone(one: MapList, place: int) -> MapList:
    return one.of([place])


@pytest.fixture(scope="module")
def lists() -> tuple[MapList, MapList, MapList]:
    """A model's, all of one size; two map sets of sizes of their own."""
    sizes = [*product(SIDES, SIDES)]
    turned = [sizes[place - 5] for place in range(len(sizes))]
    return made(*[(7, 9)] * len(sizes)), made(*sizes, seed=1), made(*turned, seed=2)


def test_many_pairs_at_once_are_as_each_alone(lists: tuple[MapList, MapList, MapList]) -> None:
    """To the last bit: what a map brings to several comparisons is made once."""
    pairs = [(one, other) for one in lists for other in lists if one is not other]
    wanted = tuple(Similarity)
    together = compared(pairs, wanted)
    for (one, other), found in zip(pairs, together, strict=True):
        for place in range(len(one.maps)):
            [single] = compared([(alone(one, place), alone(other, place))], wanted)
            for similarity, score in single.items():
                assert found[similarity].reasons[place] == score.reasons[0]
                assert np.array_equal(found[similarity].values[place], score.values[0], equal_nan=True), similarity


def test_a_list_is_prepared_once_though_others_show_nothing_here_and_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each view's map is constant of another sample: what is compared is the same of all."""
    prepared: list[int] = []

    def counting(maps: Values) -> Values:
        prepared.append(len(maps))
        found: Values = correlation.prepare(maps)
        return found

    clean = made(*[(7, 7)] * 4)
    views = [made(*[(7, 7)] * 4, seed=seed) for seed in range(1, 4)]
    expected = values_of([(clean, view) for view in views], [Similarity.CC])
    for number, view in enumerate(views):
        view.maps[number][:] = 0
    monkeypatch.setitem(OF_MAPS, "cc", replace(correlation, prepare=counting))
    found = values_of([(clean, view) for view in views], [Similarity.CC])
    assert prepared == [4] * 4
    for number, (now, before) in enumerate(zip(found, expected, strict=True)):
        assert np.flatnonzero(np.isnan(now[Similarity.CC])).tolist() == [number]
        assert np.array_equal(np.delete(now[Similarity.CC], number), np.delete(before[Similarity.CC], number))


def test_at_the_smaller_size_of_each_pair_as_other_tools_say(lists: tuple[MapList, MapList, MapList]) -> None:
    _, first, second = lists
    [found] = compared([(first, second)], (Similarity.CC, Similarity.SPEARMAN, Similarity.SSIM, Similarity.AUC_JUDD))
    for place, (one, other) in enumerate(zip(first.maps, second.maps, strict=True)):
        size = tuple(np.minimum(one.shape, other.shape))
        small, given = (resize_local_mean(maps, size).astype(np.float32) for maps in (one, other))
        expected = pearsonr(small.ravel(), given.ravel())[0]
        assert found[Similarity.CC].values[place] == pytest.approx(expected, abs=1e-5)
        levels = [(maps * np.float32(255)).astype(np.uint8) for maps in (small, given)]
        ssim = structural_similarity(*levels, data_range=255)
        assert found[Similarity.SSIM].values[place] == pytest.approx(ssim, abs=0.01)
        assert found[Similarity.AUC_JUDD].values[place] == pytest.approx(judd(one, second.fixations[place]), abs=1e-9)
    same = [place for place, one in enumerate(first.maps) if one.shape == second.maps[place].shape]
    for place in same:
        expected = spearmanr(first.maps[place].ravel(), second.maps[place].ravel()).statistic
        assert found[Similarity.SPEARMAN].values[place] == pytest.approx(expected, abs=1e-9)


def judd(values: Values, points: object) -> float:
    rows, columns = (np.floor(np.asarray(points)[:, ::-1] * values.shape)).astype(int).T
    hits = values[rows, columns]
    others = np.ones(values.shape, bool)
    others[rows, columns] = False
    truth = [*[1] * len(hits), *[0] * int(others.sum())]
    return float(roc_auc_score(truth, [*hits, *values[others]]))


def test_many_cells_have_the_ranks_that_scipy_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = np.random.default_rng(4).integers(0, 50, (3, 500)).astype(np.float32)
    expected = ranks.ranks_of(cells)
    monkeypatch.setattr(ranks, "FEW_CELLS", 1)
    assert np.array_equal(ranks.ranks_of(cells), expected)


def test_every_reason_is_the_true_one() -> None:
    """A checked pattern is constant at the size of a smaller map."""
    checked = np.indices((8, 8)).sum(0).astype(np.float32) % 2
    small, zero = np.eye(2, dtype=np.float32), np.zeros((8, 8), np.float32)
    every = np.stack(np.meshgrid([0.25, 0.75], [0.25, 0.75]), -1).reshape(-1, 2)
    constant, none = UndefinedReason.CONSTANT_MAP, UndefinedReason.NO_MAP
    own = MapList([small, checked, zero, small, small], (None, None, constant, None, None), [None] * 5)
    given = MapList(
        [checked, small, checked, zero, zero], (None, None, None, constant, none), [every, None] * 2 + [None]
    )
    [found] = compared([(own, given)], (Similarity.CC, Similarity.SSIM, Similarity.AUC_JUDD, Similarity.NSS))
    view = UndefinedReason.CONSTANT_VIEW_MAP
    assert found[Similarity.CC].reasons == (view, constant, constant, view, none)
    too_small = UndefinedReason.MAP_TOO_SMALL
    assert found[Similarity.SSIM].reasons == (too_small, too_small, constant, view, none)
    nobody = UndefinedReason.NO_FIXATIONS
    full = UndefinedReason.NO_CELL_WITHOUT_FIXATION
    assert found[Similarity.AUC_JUDD].reasons == (full, nobody, constant, nobody, nobody)
    assert found[Similarity.NSS].reasons == (None, nobody, constant, nobody, nobody)
    assert found[Similarity.NSS].values[0] == pytest.approx(0)
    mean = mean_of([given, MapList([zero] * 5, (none,) * 5, [None] * 5)])
    assert mean.reasons == (None, None, None, constant, none)


def test_samples_are_taken_a_few_at_a_time_and_a_subject_leaves_itself_out() -> None:
    large = made((900, 900), (900, 1000), (20, 30), (20, 20), seed=5)
    other = made((800, 900), (9, 9), (40, 30), (20, 20), seed=6)
    assert [*parts_of([large, other])] == [range(1), range(1, 4)]
    settings = AgreementSettings(similarities=(Similarity.CC, Similarity.IOU), map_sets=2)
    model, first, second = agreement_with_given(settings, [made(*[(7, 7)] * 4)], [large, other])
    assert {*model} == {"cc@1", "cc@2", "cc@rest", "iou@1", "iou@2", "iou@rest"}
    assert ({*first}, {*second}) == ({"cc@2", "cc@rest", "iou@2", "iou@rest"}, {"cc@1", "cc@rest", "iou@1", "iou@rest"})
    for view in ("cc", "iou"):
        assert np.array_equal(first[f"{view}@2"].values, second[f"{view}@1"].values)
        assert np.array_equal(first[f"{view}@2"].values, first[f"{view}@rest"].values)

"""Where maps lie, by hand."""

from typing import Any

import numpy as np
import pytest

from worker.results.where_maps_lie import Partition, where_maps_lie


def ids(count: int) -> list[str]:
    return [str(number) for number in range(count)]


def test_groups_by_hand() -> None:
    """Four 3 x 3 maps: two in the middle, one in a corner, one undefined."""
    maps = np.zeros((4, 3, 3), np.float32)
    maps[0, 1, 1] = maps[1, 1, 1] = maps[2, 0, 2] = 1
    maps[1, 1, 0] = 1
    predicted = Partition(("cat", "dog"), np.array([0, 0, 1, 1]))
    label = Partition.of(("a", "a", None, "a"))
    assert label.names == ("a",)
    found: Any = where_maps_lie(maps, {"predicted": predicted, "label": label}, ids(4), seed=1)
    assert found["cells"] == [3, 3]
    assert found["border_area"] == pytest.approx(8 / 9)
    rows = {(row["group_by"], row["group"]): row for row in found["groups"]}
    assert {key: (row["n"], row["n_undefined"]) for key, row in rows.items()} == {
        ("total", "all"): (3, 1),
        ("predicted", "cat"): (2, 0),
        ("predicted", "dog"): (1, 1),
        ("label", "a"): (2, 1),
    }
    cat, dog = rows["predicted", "cat"], rows["predicted", "dog"]
    assert cat["mean_map"] == [[0, 0, 0], [0.5, 1, 0], [0, 0, 0]]
    assert cat["spread_map"] == [[0, 0, 0], [0.5, 0, 0], [0, 0, 0]]
    assert cat["border_share"] == pytest.approx((0 + 0.5) / 2)
    assert cat["border_ratio"] == pytest.approx(0.25 / (8 / 9))
    assert (cat["centre_down"], cat["centre_right"]) == (pytest.approx(0.5), pytest.approx((1 / 2 + 1 / 3) / 2))
    assert (dog["centre_down"], dog["centre_right"]) == (pytest.approx(1 / 6), pytest.approx(5 / 6))
    assert cat["entropy"] == pytest.approx(np.log(2) / np.log(9) / 2)
    # One of two cells is the other's only one: covariance 1/9 * 8/9 * 2 ... by NumPy.
    assert cat["fixedness"] == pytest.approx(np.corrcoef(maps[0].ravel(), maps[1].ravel())[0, 1])
    assert dog["fixedness"] is None
    assert [(row["predicted"], row["note"]) for row in found["clusters"]] == [
        ("cat", "no clear clusters"),
        ("dog", "no clear clusters"),
    ]
    # The last one has no map.
    assert [sorted(row["samples"]) for row in found["clusters"]] == [["0", "1"], ["2"]]


def test_clusters_of_a_class() -> None:
    """Half of a class's maps lie left, half right; the other class has one kind."""
    generator = np.random.default_rng(2)
    rows, columns = np.indices((7, 7))
    places = np.concatenate([np.tile([[3, 1]], (60, 1)), np.tile([[3, 5]], (40, 1)), np.tile([[3, 3]], (50, 1))])
    places = places + generator.normal(0, 0.1, places.shape)
    maps = np.array([np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 2) for y, x in places])
    maps = (maps + generator.random(maps.shape) * 0.05).astype(np.float32)
    predicted = Partition(("two", "one"), np.repeat([0, 1], [100, 50]))
    clusters: Any = where_maps_lie(maps, {"predicted": predicted}, ids(150), seed=3)["clusters"]
    two, one = clusters
    assert [round(cluster["share"], 2) for cluster in two["clusters"]] == [0.6, 0.4]
    assert np.argmax(two["clusters"][0]["mean_map"][3]) == 1
    assert np.argmax(two["clusters"][1]["mean_map"][3]) == 5
    assert two["agreement"] > 0.9
    assert one["clusters"] is None
    # Six of each kind, drawn and not picked: of the left ones, of the right ones, of the class without kinds.
    for found, low, high in ((two["clusters"][0], 0, 60), (two["clusters"][1], 60, 100), (one, 100, 150)):
        assert len(set(found["samples"])) == 6
        assert all(low <= int(name) < high for name in found["samples"])
        assert found["samples"] != sorted(found["samples"], key=int)
    assert set(two["samples"]) <= {str(number) for number in range(100)}


def test_few_groups_are_told_of_many() -> None:
    maps = np.random.default_rng(4).random((400, 3, 3)).astype(np.float32)
    many = Partition.of(tuple(f"{number % 80:03d}" for number in range(400)))
    found: Any = where_maps_lie(maps, {"predicted": many}, ids(400), seed=5)
    assert sum(row["group_by"] == "predicted" for row in found["groups"]) == 50


def test_no_map_at_all_is_no_error() -> None:
    """An audit of a network that only puts out NaN ends by saying so, instead of in its reduce."""
    nothing = Partition(("a", "b"), np.full(4, -1))
    found: Any = where_maps_lie(np.zeros((4, 7, 7), np.float32), {"predicted": nothing}, ids(4), seed=0)
    assert next((row["group"], row["n"], row["n_undefined"]) for row in found["groups"]) == ("all", 0, 4)
    assert found["clusters"] == []

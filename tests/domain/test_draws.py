"""Draws without replacement: the old one unchanged, the stratified one by shares."""

import random

import pytest

from app.domain.samples.draws import draw, stratified_draw


def test_the_plain_draw_is_what_it_always_was() -> None:
    expected = sorted(random.Random(7).sample(range(1000), 50))
    assert draw(range(1000), 50, 7) == expected
    assert draw(list(range(1000)), 50, 7) == expected


@pytest.mark.parametrize(
    ("sizes", "count", "shares"),
    [
        ({"a": 90, "b": 10}, 10, {"a": 9, "b": 1}),
        ({"a": 98, "b": 1, None: 1}, 10, {"a": 8, "b": 1, None: 1}),
        ({"a": 5, "b": 5, "c": 5}, 7, {"a": 3, "b": 2, "c": 2}),
        ({"a": 1, "b": 1, "c": 1}, 2, {"a": 1, "b": 1, "c": 0}),
        ({"a": 2, "b": 2}, 4, {"a": 2, "b": 2}),
    ],
)
def test_shares(sizes: dict[str | None, int], count: int, shares: dict[str | None, int]) -> None:
    strata, start = {}, 0
    for name, size in sizes.items():
        strata[name] = list(range(start, start + size))
        start += size
    found = stratified_draw(strata, count, 3)
    assert found == sorted(set(found)) == stratified_draw(dict(reversed(strata.items())), count, 3)
    assert {name: len(set(found) & set(places)) for name, places in strata.items()} == shares

"""Whatever is changed in a good file, its judge takes it or refuses it, and says so in one way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.judges import ENDLESS, JUDGES, SEEDS, refused


@pytest.mark.parametrize("kind", SEEDS)
def test_good_files_pass(kind: str) -> None:
    assert not refused(JUDGES[kind], SEEDS[kind])


@pytest.mark.parametrize("kind", SEEDS)
@given(place=st.integers(0, 4000), patch=st.binary(max_size=12), cut=st.integers(0, 12))
def test_changed_files(kind: str, place: int, patch: bytes, cut: int) -> None:
    seed = SEEDS[kind]
    place %= len(seed)
    refused(JUDGES[kind], seed[:place] + patch + seed[place + cut :])


@pytest.mark.parametrize("kind", SEEDS)
@given(length=st.integers(0, 4000))
def test_cut_files_are_refused(kind: str, length: int) -> None:
    seed = SEEDS[kind]
    assert refused(JUDGES[kind], seed[: length % len(seed.rstrip(b"\0"))]) or kind in ENDLESS

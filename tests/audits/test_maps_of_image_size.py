"""Methods whose maps are as large as the image, end to end: what is stored of one is 200 kB."""

from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest
from skimage.measure import shannon_entropy

Json = dict[str, Any]


@pytest.fixture(scope="module")
def audits(start: Callable[..., Json]) -> list[Json]:
    """The second takes over the first one's clean maps."""
    protocol = {"salience": {"method": "smoothgrad"}, "measures": {"entropy": {}}}
    return [start("cross_entropy_run1", protocol=protocol, sample_limit=2) for _ in range(2)]


def test_it_is_measured(service: httpx.Client, audits: list[Json]) -> None:
    """The histogram's entropy is that of the map that is shown, by scikit-image."""
    first = audits[0]
    assert first["status"] == "succeeded", first
    rows = service.get(f"/v1/audits/{first['id']}/samples?view=histogram").json()["items"]
    assert len(rows) == 2
    for row in rows:
        path = f"/v1/audits/{first['id']}/samples/{row['sample_id']}/map"
        shown = service.get(path, headers={"Accept": "application/json"}).json()
        levels = (np.array(shown["values"], dtype=np.float32) * 255).astype(np.uint8)
        assert levels.shape == (shown["height"], shown["width"]) == (224, 224)
        assert row["score"] == pytest.approx(shannon_entropy(levels) / 8, abs=1e-5)


def test_maps_that_are_taken_over_give_the_same_results(service: httpx.Client, audits: list[Json]) -> None:
    assert [audit["status"] for audit in audits] == ["succeeded"] * 2
    found = [service.get(f"/v1/audits/{audit['id']}/results").json() for audit in audits]
    assert found[0]["summaries"] == found[1]["summaries"]
    assert found[0]["where_maps_lie"] == found[1]["where_maps_lie"]

"""Frames, maps, verdicts and comparisons are the numbers that the API tells as JSON."""

import math
import sys
from collections.abc import Hashable
from typing import Any

import httpx
import numpy as np
import pandas as pd
import polars as pl
import pytest

from salience_audit import Client
from salience_audit.errors import ApiError, MissingLibrary
from tests.client.conftest import RUNS, SAMPLES

Json = dict[str, Any]


def as_told(rows: list[Json] | list[dict[Hashable, Any]], names: list[str]) -> list[tuple[Any, ...]]:
    """Undefined numbers are None in JSON and polars, NaN in pandas."""
    return [tuple(_plain(row[name]) for name in names) for row in rows]


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


@pytest.fixture(scope="module")
def told(service: httpx.Client, audit: Json) -> list[Json]:
    """All scores, as JSON pages."""
    rows: list[Json] = []
    cursor: str | None = ""
    while cursor is not None:
        params = {"limit": 7} | ({"cursor": cursor} if cursor else {})
        page = service.get(f"/v1/audits/{audit['id']}/samples", params=params).json()
        rows, cursor = rows + page["items"], page["next_cursor"]
    return rows


def test_summaries(service: httpx.Client, client: Client, audit: Json) -> None:
    rows = service.get(f"/v1/audits/{audit['id']}/results").json()["summaries"]
    names = list(rows[0])
    in_pandas, in_polars = client.summaries(audit["id"]), client.summaries(audit["id"], "polars")
    assert isinstance(in_pandas, pd.DataFrame)
    assert isinstance(in_polars, pl.DataFrame)
    assert list(in_pandas.columns) == in_polars.columns == names
    assert as_told(in_polars.to_dicts(), names) == as_told(rows, names)
    assert as_told(in_pandas.to_dict("records"), names) == as_told(rows, names)
    assert in_pandas["mean"].dtype == np.float64


def test_scores(client: Client, audit: Json, told: list[Json]) -> None:
    names = ["sample", "label", "source", "model", "model_id", "measure", "view", "score", "predicted_label"]
    names += ["sample_id", "control"]
    in_pandas, in_polars = client.scores(audit["id"]), client.scores(audit["id"], "polars")
    assert len(told) == SAMPLES * (2 * 3 + 1)
    assert as_told(in_polars.to_dicts(), names) == as_told(told, names)
    assert as_told(in_pandas.to_dict("records"), names) == as_told(told, names)


def test_some_scores(client: Client, audit: Json, runs: list[Json], told: list[Json]) -> None:
    wanted = {"measure": "entropy", "view": "spatial", "model_id": runs[1]["id"]}
    found = client.scores(audit["id"], "polars", **wanted, order="desc")
    chosen = [row["score"] for row in told if wanted.items() <= row.items()]
    assert found["score"].to_list() == sorted(chosen, reverse=True)
    assert found["model"].unique().to_list() == [f"{RUNS[1]} of the client"]


def test_a_map(service: httpx.Client, client: Client, audit: Json, runs: list[Json], told: list[Json]) -> None:
    sample, model = told[0]["sample_id"], runs[0]["id"]
    for view in ("clean", "noise@0.05"):
        path = f"/v1/audits/{audit['id']}/samples/{sample}/map"
        values = service.get(path, params={"model_id": model, "view": view}).json()["values"]
        found = client.salience_map(audit["id"], sample, model, view)
        assert (found.dtype, found.shape) == (np.dtype(np.float32), (7, 7))
        assert found.astype(np.float64).tolist() == values
    with pytest.raises(ApiError, match="model-id-required"):
        client.salience_map(audit["id"], sample)


def test_a_library_that_is_missing(client: Client, audit: Json, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pandas", "polars"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingLibrary, match=r"pandas is not installed: pip install 'salience-audit-client\[frames\]'"):
        client.summaries(audit["id"])
    with pytest.raises(MissingLibrary, match="polars"):
        client.scores(audit["id"], "polars")
    monkeypatch.undo()


def test_a_comparison(client: Client, audit: Json) -> None:
    compared = client.compare([audit["id"]], name="runs", by="model")
    assert (compared["status"], len(compared["results"]["sides"])) == ("succeeded", 2)
    with pytest.raises(ApiError, match="too-few-sides"):
        client.compare([audit["id"]])


def test_a_verdict(client: Client, audit: Json, faces: Json) -> None:
    gate = client.create_gate("of the client", ["entropy.mean <= 1"])
    options = {"model_ids": audit["model_ids"], "protocol": audit["protocol"], "sample_limit": SAMPLES}
    again, same = (
        client.run_audit(faces["id"], **options, gate_id=gate["id"], idempotency_key="of this test") for _ in range(2)
    )
    assert again["id"] == same["id"]
    assert client.wait(again["id"])["verdict"] == "passed"
    verdict = client.verdict(again["id"])
    assert [row["outcome"] for row in verdict["conditions"]] == ["passed"]
    assert client.results(again["id"])["summaries"] == client.results(audit["id"])["summaries"]
    with pytest.raises(ApiError, match="names no gate"):
        client.verdict(audit["id"])

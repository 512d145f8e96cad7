"""A deformation, an upload format and a resource that the recipes added, in the service of the copy."""

import io
from typing import Any

import numpy as np
import pytest
from safetensors.torch import load_file
from skimage.metrics import structural_similarity

from salience_audit import Client
from salience_audit.errors import Json, Rejected
from tests.waiting import RECIPE, WEIGHTS

PROTOCOL = {
    "micro_batch": 4,
    "measures": {"noise_reaction": {"curve": [], "deformations": [{"kind": "posterize", "severities": [1]}]}},
}


def saved(arrays: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def described(name: str) -> Json:
    return {**RECIPE, "name": name, "format": "state_dict"}


@pytest.fixture(scope="module")
def model(client: Client) -> Json:
    """Its weights in a file of ``numpy.savez``."""
    weights = load_file(WEIGHTS / "cross_entropy_run1.safetensors")
    return client.push_model(
        saved({name: tensor.numpy() for name, tensor in weights.items()}), description=described("npz")
    )


def test_an_upload_format(client: Client, model: Json) -> None:
    """What it was read as has the digest of what safetensors are read as."""
    assert model["status"] == "ready"
    content = saved({"conv1.0.weight": np.array(["text"]), "fc.weight": np.zeros((2, 3))})
    with pytest.raises(Rejected, match="C's order"):
        client.push_model(content, description=described("bad"))


def test_a_deformation(client: Client, faces: Json, model: Json) -> None:
    """Its scores are scikit-image's, of the maps that the API gives."""
    assert "posterize" in {one["kind"] for one in client.protocols()["deformations"]}
    started = client.run_audit(faces["id"], model_ids=[model["id"]], protocol=PROTOCOL, sample_limit=4)
    audit = client.wait(started["id"])
    scores = client.scores(audit["id"], measure="noise_reaction", view="posterize@1")
    assert len(scores) == 4
    for row in scores.to_dict("records"):
        maps = [client.salience_map(audit["id"], row["sample_id"], view=view) for view in ("clean", "posterize@1")]
        levels = [(one * 255).astype(np.uint8) for one in maps]
        assert row["score"] == pytest.approx(structural_similarity(*levels, data_range=255), abs=5e-3)
        assert row["score"] < 1
    [curve] = client.results(audit["id"])["deformation_curves"]
    assert (curve["kind"], len(curve["points"])) == ("posterize", 1)


def test_a_resource(client: Client) -> None:
    said = [client._connection.post("/v1/remarks", {"words": words}) for words in ("first", "second")]
    assert [one["words"] for one in client._connection.get("/v1/remarks")["items"]] == ["second", "first"]
    assert {one["id"] for one in said} == {one["id"] for one in client._connection.get("/v1/remarks")["items"]}

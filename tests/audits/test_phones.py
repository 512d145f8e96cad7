"""Pictures of a phone go through the whole service: judged, audited, and drawn under their maps."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

from tests.comparisons.real_audits import ENTROPY_ONLY
from tests.datasets.packing import make_zip
from tests.waiting import upload

HEIC = Path(__file__).parents[1] / "imaging" / "photograph.heic"


def test_heic_is_drawn_as_its_png_is(service: httpx.Client, start: Callable[..., dict[str, Any]]) -> None:
    """HEIC is decoded in the sandbox, for the audit and for the picture; the PNG holds what pi-heif makes of it."""
    from pi_heif import open_heif

    photograph = open_heif(HEIC.read_bytes()).to_pillow().convert("RGB")
    png = io.BytesIO()
    photograph.save(png, "PNG")
    content = make_zip({"face/a.heic": HEIC.read_bytes(), "face/b.png": png.getvalue()})
    dataset = upload(service, "datasets", {"name": "phone"}, content)
    assert (dataset["status"], dataset["sample_count"]) == ("ready", 2)
    audit = start("cross_entropy_run1", dataset_id=dataset["id"], protocol=ENTROPY_ONLY, sample_limit=2)
    assert audit["status"] == "succeeded"
    scores = service.get(f"/v1/audits/{audit['id']}/samples", params={"view": "spatial"}).json()["items"]
    drawn = [_drawn(service, audit, row["sample_id"]) for row in scores]
    assert len(drawn) == 2
    assert scores[0]["score"] == scores[1]["score"]
    assert np.array_equal(drawn[0], drawn[1])


def _drawn(service: httpx.Client, audit: dict[str, Any], sample_id: str) -> Any:
    answer = service.get(f"/v1/audits/{audit['id']}/samples/{sample_id}/map", headers={"Accept": "image/png"})
    assert answer.status_code == 200, answer.text
    return np.asarray(Image.open(io.BytesIO(answer.content)))

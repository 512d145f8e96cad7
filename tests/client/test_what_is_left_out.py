"""A folder that cannot be sent whole: what was left out is told, and the exit status is not 0."""

import json
import os
import subprocess
from pathlib import Path

import httpx

from tests import forked
from tests.datasets.packing import picture


def test_folders_behind_links(service: httpx.Client, tmp_path: Path) -> None:
    for label in ("cat", "dog"):
        (tmp_path / "store" / label).mkdir(parents=True)
        (tmp_path / "store" / label / "1.png").write_bytes(picture())
    pets = tmp_path / "pets"
    (pets / "bird").mkdir(parents=True)
    (pets / "bird" / "1.png").write_bytes(picture(50))
    (pets / "bird" / "2.png").symlink_to(tmp_path / "store" / "cat" / "1.png")
    (pets / "cat").symlink_to(tmp_path / "store" / "cat")
    (pets / "bird" / "3.png").symlink_to(tmp_path / "gone")
    done = _push(service, pets)
    dataset = json.loads(done.stdout)
    assert (done.returncode, dataset["sample_count"]) == (3, 2)
    assert dataset["left_out"] == ["bird/3.png: a symbolic link to nothing", "cat: a symbolic link to a folder"]
    assert all(f"Not sent: {what}." in done.stderr for what in dataset["left_out"])
    (pets / "cat").unlink()
    (pets / "bird" / "3.png").unlink()
    whole = _push(service, pets)
    assert (whole.returncode, "left_out" in json.loads(whole.stdout)) == (0, False)


def _push(service: httpx.Client, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "SALIENCE_AUDIT_URL": str(service.base_url),
        "SALIENCE_AUDIT_API_KEY": service.headers["Authorization"].removeprefix("Bearer "),
    }
    return forked.run(("datasets", "push", str(folder), "--json"), environment)

"""Clients that offer HTTP/2 by Upgrade get HTTP/1.1, and no byte of what they send goes elsewhere."""

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from prepare import build_archive

from tests.waiting import PATIENCE_SECONDS, wait_for

Json = dict[str, Any]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "faces.zip"
    path.write_bytes(build_archive())
    return path


@pytest.fixture
def dataset(service: httpx.Client) -> Json:
    made: Json = service.post("/v1/datasets", json={"name": "by upgrade"}).json()
    return made


def arrived(service: httpx.Client, dataset: Json, archive: Path) -> None:
    """All bytes, and they could be read."""
    found = wait_for(service, f"/v1/datasets/{dataset['id']}", "ready", "rejected")
    assert (found["status"], found["sample_count"]) == ("ready", 200)
    assert found["content_size"] == archive.stat().st_size
    assert found["content_digest"].endswith(hashlib.sha256(archive.read_bytes()).hexdigest()), found["content_digest"]


@pytest.mark.needs("curl", get="apt-get install curl")
def test_curl(service: httpx.Client, address: tuple[str, str], dataset: Json, archive: Path) -> None:
    url, key = address
    command = ["curl", "--silent", "--http2", "--header", f"Authorization: Bearer {key}", "--output", "/dev/null"]
    command += ["--write-out", '{"status": %{http_code}, "version": "%{http_version}"}', "--max-time", "60"]
    sent = (["--upload-file", str(archive), url + dataset["content_url"]], [f"{url}/v1/protocols"])
    for arguments, status in zip(sent, (202, 200), strict=True):
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=True)
        assert json.loads(done.stdout) == {"status": status, "version": "1.1"}
    arrived(service, dataset, archive)


@pytest.mark.integration
@pytest.mark.needs("java", get="apt-get install openjdk-17-jdk-headless")
def test_java(service: httpx.Client, address: tuple[str, str], dataset: Json, archive: Path) -> None:
    program = Path(__file__).with_name("Send.java")
    command = ["java", str(program), *address, dataset["content_url"], str(archive)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)
    assert done.returncode == 0, done.stderr
    put, post, get = (line.split() for line in done.stdout.splitlines())
    assert (put[:2], get[:2]) == (["202", "HTTP_1_1"], ["200", "HTTP_1_1"])
    assert post[:2] == ["201", "HTTP_1_1"]
    assert service.get(post[2]).json()["name"] == "of Java"
    arrived(service, dataset, archive)

"""Behind a real nginx, configured as docs/operations.md says, under a path prefix."""

import io
import re
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from app.embedded.ports import accepts, free_port
from salience_audit import Client, Retries
from salience_audit.errors import ApiError
from tests.api.running_api import Api
from tests.conftest import REPOSITORY
from tests.keys import HEADERS, KEY
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = [pytest.mark.integration, pytest.mark.needs("nginx", get="apt-get install nginx-light")]
BIG = 2_000_000
"""More than nginx takes by default."""

TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
CONFIGURATION = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; events {{}}
http {{ access_log off; {temporary}
  server {{ listen 127.0.0.1:{port};
    {documented}
    location /usual/ {{ proxy_pass http://127.0.0.1:{api}/; proxy_set_header X-Forwarded-Prefix /usual; }}
    location /dead/ {{ proxy_pass http://127.0.0.1:{dead}/; }}
}} }}
"""


def documented(port: int) -> str:
    """The page's block, with the port of this service."""
    page = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")
    found = re.search(r"```text\n(location /salience/ .*?)```", page, re.DOTALL)
    assert found is not None
    return found[1].replace("127.0.0.1:8000", f"127.0.0.1:{port}")


@pytest.fixture(scope="module")
def hidden(start_api: Callable[..., Api], broker_url: str) -> Api:
    return start_api(broker_url, TRUSTED_PROXIES="127.0.0.0/8")


@pytest.fixture(scope="module")
def nginx(hidden: Api, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the proxy."""
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    temporary = " ".join(f"{name}_temp_path {folder}/{name};" for name in TEMPORARY)
    text = CONFIGURATION.format(
        folder=folder,
        port=port,
        api=hidden.port,
        dead=free_port(),
        temporary=temporary,
        documented=documented(hidden.port),
    )
    (folder / "nginx.conf").write_text(text)
    process = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")])
    until(lambda: accepts(port))
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def through(nginx: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=nginx, headers=HEADERS, timeout=PATIENCE_SECONDS) as client:
        yield client


def test_every_address_has_the_prefix(through: httpx.Client) -> None:
    assert through.get("/salience/openapi.json").json()["servers"] == [{"url": "/salience"}]
    page = through.get("/salience/docs").text
    wanted = [path for path in re.findall(r'(?:href|src)="([^"]*)"', page) if not path.startswith("data:")]
    assert wanted
    for path in wanted:
        assert through.get(path).status_code == 200, path
    made = through.post("/salience/v1/datasets", json={"name": "proxied"})
    assert through.get(made.headers["location"]).json() == made.json()
    assert made.json()["content_url"].startswith("/salience/v1/datasets/")


def test_uploads_stream_through_the_documented_one(through: httpx.Client) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("cat/0.png", bytes(BIG))
    registered = through.post("/salience/v1/datasets", json={"name": "large"}).json()
    answer = through.put(registered["content_url"], content=archive.getvalue())
    assert answer.status_code == 202, answer.text
    assert answer.json()["content_size"] == len(archive.getvalue())


def test_whose_error_it_is_is_told(nginx: str, tmp_path: Path) -> None:
    archive = tmp_path / "big.zip"
    archive.write_bytes(bytes(BIG))
    with Client(f"{nginx}/usual", KEY, retries=Retries(0)) as client:
        with pytest.raises(ApiError, match="nginx, in front of the service, takes no such body") as told:
            client.push_dataset(archive, name="big")
        assert told.value.code == "proxy-body-limit"
        with pytest.raises(ApiError, match="not-found"):  # the service's own
            client.resource("models", "01a20000-0000-7000-8000-000000000000")
    with Client(f"{nginx}/dead", KEY, retries=Retries(0)) as client, pytest.raises(ApiError) as told:
        client.protocols()
    assert told.value.code == "proxy-no-answer"
    assert told.value.detail.startswith("nginx, in front of the service, got no answer from it (502)")

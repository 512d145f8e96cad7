"""From a push by oras to a verdict that refers to the artifact and a moved tag: Debian's docker-registry, for real."""

import hashlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from oras.client import OrasClient

from app.egress.addresses import AddressGuard
from app.egress.client import EgressClient
from app.embedded.ports import accepts, free_port
from app.registries.base import Version, Wanted
from app.registries.oci import TAG, OciRegistry
from app.registries.oci_manifest import INDEX, MANIFEST, RESULT
from tests.registries.making import create
from tests.registries.recorded_answers import DESCRIPTION
from tests.waiting import WEIGHTS, until

Json = dict[str, Any]
pytestmark = pytest.mark.needs("docker-registry", get="apt-get install docker-registry")
SECRET = "a secret of sixteen"
RUN = WEIGHTS / "cross_entropy_run1.safetensors"
NAME = "team/faces"


@dataclass(frozen=True)
class Oci:
    """A running registry, and the hook that it tells."""

    url: str
    hook: str
    connection: str

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://")

    def manifest(self, reference: str) -> httpx.Response:
        return httpx.get(f"{self.url}/v2/{NAME}/manifests/{reference}", headers={"Accept": f"{MANIFEST}, {INDEX}"})


@pytest.fixture(scope="module")
def oci(service: httpx.Client, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oci]:
    folder, port = tmp_path_factory.mktemp("oci"), free_port()
    url = f"http://127.0.0.1:{port}"
    connection = create(service, "connections", name="o", kind="oci", url=url)["id"]
    hook = create(service, "hooks", name="o", kind="oci", connection_id=connection, secret=SECRET)
    told = {"name": "salience", "url": str(service.base_url.join(f"/v1/hooks/{hook['id']}/deliveries"))}
    patience = {"timeout": "10s", "threshold": 5, "backoff": "1s"}
    endpoint = told | patience | {"headers": {"Authorization": [f"Bearer {SECRET}"]}}
    config = {
        "version": 0.1,
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": f"127.0.0.1:{port}"},
        "notifications": {"endpoints": [endpoint]},
    }
    (folder / "config.yml").write_text(json.dumps(config))  # JSON is YAML
    log = (folder / "log").open("wb")
    command = ["docker-registry", "serve", str(folder / "config.yml")]
    with log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        until(lambda: accepts(port))
        yield Oci(url, hook["id"], connection)
        process.terminate()


@pytest.fixture(scope="module")
def pushed(oci: Oci, service: httpx.Client, dataset: Json, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of what oras pushed, once a policy was there to follow it."""
    asked = {"connection_id": oci.connection, "dataset_id": dataset["id"], "sample_limit": 4}
    how = {
        "match": {"model": "team/*", "tags": {"tag": "v*"}},
        "protocol": {"micro_batch": 4, "measures": {"entropy": {}}},
    }
    gate = create(service, "gates", name="oci", conditions=["entropy.spatial.mean <= 1"])["id"]
    create(service, "policies", name="o", gate=gate, write_back={"alias_on_pass": "audited"}, **asked, **how)
    folder = tmp_path_factory.mktemp("pushed")
    (folder / "model.safetensors").write_bytes(RUN.read_bytes())
    (folder / "salience.json").write_text(json.dumps(DESCRIPTION))
    client = OrasClient(hostname=oci.host, insecure=True)
    files = [str(path) for path in sorted(folder.iterdir())]
    client.push(f"{oci.host}/{NAME}:v1", files=files, disable_path_validation=True, quiet=True)
    digest: str = oci.manifest("v1").headers["docker-content-digest"]
    return digest


def test_a_push_gets_its_verdict(service: httpx.Client, oci: Oci, pushed: str) -> None:
    def judged() -> httpx.Response | None:
        moved = oci.manifest("audited")
        return moved if moved.status_code == 200 else None

    assert until(judged).headers["docker-content-digest"] == pushed
    (listed,) = oci.manifest(pushed.replace(":", "-")).json()["manifests"]
    verdict = oci.manifest(listed["digest"])
    told = verdict.json()
    assert f"sha256:{hashlib.sha256(verdict.content).hexdigest()}" == listed["digest"]
    assert (told["artifactType"], told["subject"]["digest"]) == (RESULT, pushed)
    assert told["annotations"]["salience.verdict"] == "passed"
    (layer,) = told["layers"]
    assert httpx.get(f"{oci.url}/v2/{NAME}/blobs/{layer['digest']}").json() == told["annotations"]
    audit = service.get(f"/v1/audits/{told['annotations']['salience.audit_id']}").json()
    model = service.get(f"/v1/models/{audit['model_ids'][0]}").json()
    assert (model["source"]["name"], model["source"]["version"]) == (NAME, pushed)
    assert model["content_digest"] == f"sha256:{hashlib.sha256(RUN.read_bytes()).hexdigest()}"
    assert model["description"]["architecture"]["from"] == "salience.json"


def test_its_own_pushes_and_pulls_start_nothing(service: httpx.Client, oci: Oci, pushed: str) -> None:
    def ended() -> list[Json] | None:
        log: list[Json] = service.get(f"/v1/hooks/{oci.hook}/deliveries", params={"limit": 100}).json()["items"]
        pushes = [one for one in log if one["event"] == "push"]
        # The version, its verdict, the index that lists it, and the moved tag.
        return log if len(pushes) >= 4 and all(one["outcome"] != "pending" for one in log) else None

    log = until(ended)
    assert {one["outcome"] for one in log} == {"audited", "ignored"}
    assert len({one["audit_id"] for one in log} - {None}) == 1
    assert service.post(f"/v1/connections/{oci.connection}/test").json()["works"]


def test_an_artifact_as_a_source(service: httpx.Client, oci: Oci, pushed: str) -> None:
    """By its tag, which is pinned to the digest."""
    source = {"connection_id": oci.connection, "uri": f"oci://{oci.host}/{NAME}:v1"}
    made = create(service, "models", name="o", source=source)
    found = until(lambda: _looked_at(service, made["id"]))
    assert (found["source"]["version"], found["source"]["file"]) == (pushed, "model.safetensors")


def test_a_sweep_looks_at_every_tag(oci: Oci, pushed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Page by page, as the registry names the next one; those that a policy's match leaves out take no call."""
    monkeypatch.setattr("app.registries.oci.PAGE", 1)
    with EgressClient(AddressGuard.of(["127.0.0.1/32"])) as client:
        registry = OciRegistry(client, oci.url, {})
        for tag in ("v2", "latest"):
            registry.give_alias(Version(NAME, pushed), tag)
        wanted = Wanted(NAME, datetime(2000, 1, 1, tzinfo=UTC), {TAG: "v*"})
        assert [(one.tags, one.version) for one in registry.made(wanted)] == [({TAG: f"v{n}"}, pushed) for n in (1, 2)]
        assert not list(registry.made(replace(wanted, model="team/*")))


def _looked_at(service: httpx.Client, model_id: str) -> Json | None:
    model: Json = service.get(f"/v1/models/{model_id}").json()
    return model if model["source"].get("version") else None

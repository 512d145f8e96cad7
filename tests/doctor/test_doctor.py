"""``salience-audit doctor`` against parts that are well, and parts that are really broken."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx
import psycopg
import pytest

from app.db.migrations import newest_revision
from app.doctor.findings import Finding, Verdict
from app.doctor.machine import check_disk, check_versions, check_worker, judge_gpu
from app.doctor.services import check_blobs, check_broker, check_database
from app.embedded.ports import free_port
from app.settings import GIBIBYTE, Settings
from tests.storage.stores import CREDENTIALS, make_bucket

REPOSITORY = Path(__file__).resolve().parents[2]
CHECKS = (
    "settings",
    "database",
    "revision",
    "clock",
    "workers",
    "broker",
    "blobs",
    "scratch",
    "disk",
    "versions",
    "gpu",
    "native",
    "sandbox",
)


def found(findings: Iterator[Finding]) -> dict[str, Finding]:
    return {finding.check: finding for finding in findings}


def doctor(*arguments: str, folder: Path = REPOSITORY, variables: dict[str, str] | None = None) -> tuple[int, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "BROKER_URL"}}
    command = [sys.executable, "-m", "app.cli", "doctor", *arguments]
    environment = kept | (variables or {})
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout


def execute(database_url: str, *statements: str) -> None:
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def test_all_is_well(database_url: str, broker_url: str, tmp_path: Path) -> None:
    parts = {"DATABASE_URL": database_url, "BROKER_URL": broker_url, "BLOB_STORE": str(tmp_path / "blobs")}
    status, text = doctor("--json", "--data", str(tmp_path), variables=parts)
    document = json.loads(text)
    assert (status, document["ok"]) == (0, True), text
    assert [finding["check"] for finding in document["findings"]] == list(CHECKS)
    assert {finding["verdict"] for finding in document["findings"]} <= {"ok", "warn"}
    assert not [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]


def test_a_running_service_is_found_by_its_folder(service: httpx.Client, open_folder: Path) -> None:
    status, text = doctor("--data", str(open_folder / "service"))
    assert status == 0, text
    assert [line.split()[1] for line in text.splitlines()] == list(CHECKS)
    assert (open_folder / "service" / "parts.json").stat().st_mode & 0o777 == 0o600


def test_everything_is_away(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    secret = "hunter2"
    parts = {
        "DATABASE_URL": f"postgresql+psycopg://salience:{secret}@127.0.0.1:{free_port()}/audit",
        "BROKER_URL": f"redis://:{secret}@127.0.0.1:{free_port()}/0",
        "BLOB_STORE": str(tmp_path / "file" / "blobs"),
    }
    status, text = doctor("--data", str(tmp_path), variables=parts)
    assert status == 1
    assert secret not in text
    failed = {line.split()[1]: line for line in text.splitlines() if line.startswith("fail")}
    assert failed.keys() == {"database", "broker", "blobs"}
    assert "DATABASE_URL" in failed["database"]
    assert "BROKER_URL" in failed["broker"]
    assert "BLOB_STORE" in failed["blobs"]


def test_settings_that_cannot_be_read(tmp_path: Path) -> None:
    status, text = doctor("--data", str(tmp_path), variables={"LEASE_SECONDS": "-1", "MAX_PIXELS": "many"})
    assert status == 1
    assert len(text.splitlines()) == 1
    assert "LEASE_SECONDS" in text
    assert "MAX_PIXELS" in text


class TestDatabase:
    @pytest.mark.parametrize(
        "change",
        [
            lambda url: url.replace("salience:", "salience:wrong"),
            lambda url: url.rpartition("/")[0] + "/nothing",
            lambda _: "postgresql+psycopg://nowhere.invalid/audit",
            lambda _: "not a url",
            lambda _: "oracle+nothing://host/audit",
        ],
    )
    def test_it_cannot_be_used(self, database_url: str, change: Callable[[str], str]) -> None:
        findings = found(check_database(Settings(database_url=change(database_url))))
        assert findings["database"].verdict is Verdict.FAIL
        assert "DATABASE_URL" in (findings["database"].advice or "")

    def test_an_old_revision(self, database_url: str) -> None:
        environment = os.environ | {"DATABASE_URL": database_url}
        command = [sys.executable, "-m", "alembic", "downgrade", "0001"]
        subprocess.run(command, cwd=REPOSITORY, env=environment, check=True, capture_output=True)
        self.check_revision(database_url, "at 0001", "salience-audit migrate")
        command = [sys.executable, "-m", "app.cli", "migrate"]
        subprocess.run(command, cwd=REPOSITORY, env=environment, check=True, capture_output=True)
        findings = found(check_database(Settings(database_url=database_url)))
        assert findings["revision"].verdict is Verdict.OK
        assert str(newest_revision()) in findings["revision"].detail

    def test_a_revision_of_the_future(self, database_url: str) -> None:
        execute(database_url, "UPDATE alembic_version SET version_num = '9999'")
        self.check_revision(database_url, "9999", "update this installation")

    def test_an_empty_database(self, database_url: str) -> None:
        execute(database_url, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
        self.check_revision(database_url, "no tables", "salience-audit migrate")

    def check_revision(self, database_url: str, detail: str, advice: str) -> None:
        finding = found(check_database(Settings(database_url=database_url)))["revision"]
        assert finding.verdict is Verdict.FAIL
        assert detail in finding.detail
        assert advice in (finding.advice or "")

    def test_a_clock_that_is_wrong(self, database_url: str) -> None:
        name = database_url.rpartition("/")[2]
        execute(
            database_url,
            "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS "
            "$$ SELECT pg_catalog.clock_timestamp() - interval '1 hour' $$",
            f'ALTER DATABASE "{name}" SET search_path = public, pg_catalog',
        )
        finding = found(check_database(Settings(database_url=database_url)))["clock"]
        assert finding.verdict is Verdict.WARN
        assert float(finding.detail.rpartition(" by ")[2].split()[0]) == pytest.approx(-3600, abs=60)


def test_a_broker_with_another_password(broker_url: str) -> None:
    for url in (broker_url.replace("redis://:", "redis://:wrong"), "redis://nowhere.invalid:6379/0", "not a url"):
        finding = found(check_broker(Settings(broker_url=url)))["broker"]
        assert finding.verdict is Verdict.FAIL, url
        assert "BROKER_URL" in (finding.advice or "")


class TestBlobs:
    @pytest.fixture
    def read_only(self, tmp_path: Path) -> Iterator[Path]:
        """Root may write wherever the mode forbids it, but not to a file system that is mounted so."""
        folder = tmp_path / "blobs"
        folder.mkdir()
        if os.getuid() != 0:
            folder.chmod(0o500)
            yield folder
            folder.chmod(0o700)
            return
        command = ["mount", "-t", "tmpfs", "-o", "ro,size=1m", "tmpfs", str(folder)]
        if subprocess.run(command, check=False, capture_output=True).returncode:
            pytest.skip("this root may not mount")
        yield folder
        subprocess.run(["umount", str(folder)], check=True)

    def test_a_read_only_folder(self, read_only: Path) -> None:
        finding = found(check_blobs(Settings(blob_store=str(read_only))))["blobs"]
        assert finding.verdict is Verdict.FAIL
        assert str(read_only) in finding.detail
        assert "writable" in (finding.advice or "")

    def test_s3(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with make_bucket(monkeypatch) as bucket:
            assert found(check_blobs(bucket.settings()))["blobs"].verdict is Verdict.OK
            missing = replace(bucket, name=f"missing-{uuid4().hex}").settings()
            assert found(check_blobs(missing))["blobs"].verdict is Verdict.FAIL
        away = found(check_blobs(bucket.settings()))["blobs"]
        assert away.verdict is Verdict.FAIL
        assert "S3_ENDPOINT" in (away.advice or "")
        assert CREDENTIALS["AWS_SECRET_ACCESS_KEY"] not in away.to_line()


def test_a_small_disk(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    settings = Settings(blob_store=str(tmp_path / "not" / "there"), max_upload_bytes=free + GIBIBYTE)
    finding = found(check_disk(settings))["disk"]
    assert finding.verdict is Verdict.WARN
    assert str(tmp_path) in finding.detail


class TestInstallation:
    """Other versions, other tools and missing routines, by what is found first on the paths. That the command asks for
    all of that is told by the tests above: to import torch, as it does, takes four seconds of processor time.
    """

    @pytest.mark.parametrize(("version", "verdict"), [("1.0", Verdict.FAIL), ("99.0", Verdict.WARN)])
    def test_versions(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, verdict: Verdict) -> None:
        place = tmp_path / f"pillow-{version}.dist-info"
        place.mkdir()
        (place / "METADATA").write_text(f"Metadata-Version: 2.1\nName: pillow\nVersion: {version}\n")
        monkeypatch.syspath_prepend(tmp_path)
        finding = found(check_versions())["versions"]
        assert finding.verdict is verdict
        assert f"pillow {version}" in finding.detail
        assert "constraints.txt" in (finding.advice or "")

    def test_a_driver_whose_gpu_torch_does_not_see(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        tool = tmp_path / "nvidia-smi"
        tool.write_text("#!/bin/sh\necho NVIDIA H100\n")
        tool.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
        finding = found(check_worker(Settings()))["gpu"]
        assert finding.verdict is Verdict.WARN
        assert "CUDA_VISIBLE_DEVICES" in (finding.advice or "")
        assert finding.detail.startswith("the driver sees NVIDIA H100")
        # Torch was asked once: to import it takes seconds.
        blind = {"torch": "2.0", "names": [], "memory": []}
        assert judge_gpu(Settings(device="cuda"), blind, ["NVIDIA H100"]).verdict is Verdict.FAIL

    def test_no_compiled_routines(self, tmp_path: Path) -> None:
        for name in ("app", "worker", "alembic"):
            shutil.copytree(REPOSITORY / name, tmp_path / name, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
        variables = {"PYTHONPATH": str(tmp_path), "BLOB_STORE": str(tmp_path / "blobs")}
        _, text = doctor("--json", "--data", str(tmp_path), folder=tmp_path, variables=variables)
        [finding] = [finding for finding in json.loads(text)["findings"] if finding["check"] == "native"]
        assert finding["verdict"] == "warn"
        assert "compiler" in finding["advice"]

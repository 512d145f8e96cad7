"""Real servers for the tests: the same Postgres and Valkey that ``salience-audit serve`` embeds, on free ports."""

import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine

from app.db.migrations import upgrade
from app.db.session import make_engine
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.process import Child
from app.embedded.valkey import EmbeddedValkey
from tests.databases import new_database
from tests.keys import SECRET, insert_test_key
from tests.suite.processes import hands_out, share_of_cores
from tests.waiting import PATIENCE_SECONDS

REPOSITORY = Path(__file__).resolve().parents[1]
pytest_plugins = ("tests.audited", "tests.children", "tests.fast", "tests.needs", "tests.side_by_side")
FACES = REPOSITORY / "examples" / "faces"
sys.path[:0] = [
    str(FACES),
    str(REPOSITORY / "examples" / "registry"),
    str(REPOSITORY / "clients" / "python"),
]  # scripts, and a tool
os.environ["API_KEY_SECRET"] = SECRET

# A stalled machine is no finding, and what one run finds every run finds; only a long `make fuzz` draws anew.
settings.register_profile(
    "suite",
    deadline=None,
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("suite")


def _import_without_traces() -> None:
    """OpenCV and scikit-learn change the environment when they are imported; what the tests start must not get that.

    Nor the spin count: without it torch's threads wait for each other in a loop, which takes more than half of the
    tests' processor time, and three quarters of their time where others want the processor. It is read at import.
    """
    before = dict(os.environ)
    os.environ["GOMP_SPINCOUNT"] = "0"
    for name in ("torch", "cv2", "sklearn"):
        importlib.import_module(name)
    os.environ.clear()
    os.environ.update(before)


def _keep_bytecode() -> None:
    """Hundreds of processes import the same code; where none kept what it compiled, each would compile all of it."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


def _share_cores() -> None:
    """Among the processes of ``pytest -n`` and what each of them starts: threads that outnumber the cores wait for each
    other, and take processor time while they wait.
    """
    share = share_of_cores(os.environ)
    os.environ.setdefault("THREADS", str(share))
    importlib.import_module("torch").set_num_threads(share)


_keep_bytecode()
# The process that hands tests out would take four seconds for torch, and would leave to the others a share of the cores
# that is its own.
if not hands_out(sys.argv[1:], os.environ):
    _import_without_traces()
    _share_cores()
OWN = {"DATABASE_URL", "BROKER_URL", "API_KEY_SECRET"}
"""What a service that is started without them makes for itself."""


@pytest.fixture(scope="session")
def open_folder() -> Iterator[Path]:
    """A folder that the database server's user can reach, whoever runs the tests."""
    folder = Path(tempfile.mkdtemp(prefix="salience-audit-tests-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(open_folder: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(open_folder / "postgres")
    child = Child(server.child(open_folder / "postgres.log"))
    child.wait_ready()
    engine = make_engine(server.url)
    upgrade(engine)
    insert_test_key(engine)
    engine.dispose()
    yield server
    child.stop()


@pytest.fixture(scope="session")
def broker_url(open_folder: Path) -> Iterator[str]:
    server = EmbeddedValkey(open_folder / "valkey")
    child = Child(server.child(open_folder / "valkey.log"))
    child.wait_ready()
    yield server.url
    child.stop()


@pytest.fixture
def database_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A fresh database made by the migrations, dropped afterwards."""
    with new_database(postgres) as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Of that database."""
    engine = make_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def service(open_folder: Path) -> Iterator[httpx.Client]:
    """The whole service as a user starts it: servers, API and a real worker process."""
    data = open_folder / "service"
    scratch = open_folder / "tmp"
    scratch.mkdir()
    # A GPU that is there computes other last bits than these tests expect: `make gpu` is for that. On the network are
    # the tests' receivers and registries.
    own = {"TMPDIR": str(scratch), "ALLOWED_NETWORKS": "127.0.0.1/32", "DEVICE": "cpu"}
    own["IMPORT_ROOTS"] = str(open_folder / "imports")
    environment = {name: value for name, value in os.environ.items() if name not in OWN} | own
    command = [sys.executable, "-m", "app.cli", "serve", "--port", "0", "--data", str(data)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not (data / "server.json").exists():
        assert process.poll() is None, "serve ended"
        assert time.monotonic() < deadline, "serve did not start"
        time.sleep(0.1)
    found = json.loads((data / "server.json").read_text())
    headers = {"Authorization": f"Bearer {found['api_key']}"}
    with httpx.Client(base_url=found["url"], headers=headers, timeout=PATIENCE_SECONDS) as client:
        yield client
    process.terminate()
    assert process.wait(PATIENCE_SECONDS) == 0

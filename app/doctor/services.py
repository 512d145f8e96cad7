"""Database, broker and blob store, each asked as the service asks it."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from app.broker import Broker, BrokerUrlInvalid
from app.db.faults import told
from app.db.migrations import is_known, is_post, newest_revision, pending
from app.db.presence import workers_present
from app.db.session import TenantEngine, make_engine, transaction
from app.db.tables import DEFAULT_TENANT
from app.db.trial import try_requests_work
from app.doctor.findings import Finding, Verdict, fail, ok, reason, warn
from app.errors import SalienceError
from app.queue import TaskQueue
from app.settings import Settings
from app.storage.blobs import BlobStore

OLDEST_POSTGRES = 14
SKEW_SECONDS = 2.0
PROBE_BYTES = 64
MIGRATE = "run `salience-audit migrate`"


def check_database(settings: Settings) -> Iterator[Finding]:
    """Reachability, version, revision, and its clock against this machine's."""
    advice = "correct DATABASE_URL (host, port, user, password, database)"
    try:
        engine = make_engine(settings.database_url)
    except (SQLAlchemyError, ImportError) as error:
        yield fail("database", told(error), advice)
        return
    try:
        with engine.connect() as connection:
            version, revision, clock = _version(connection), _revision(connection), _clock(connection)
        yield version if revision.verdict is Verdict.FAIL else _trial(engine, version)
        yield revision
        yield clock
        if revision.verdict is not Verdict.FAIL:
            yield _workers(engine)
    except SQLAlchemyError as error:
        yield fail("database", told(error), advice)
    finally:
        engine.dispose()


def _workers(engine: Engine) -> Finding:
    with transaction(engine) as session:
        present = workers_present(session)
    if not present:
        return warn("workers", "none was seen within a minute: nothing gets done", "run `salience-audit worker`")
    return ok("workers", ", ".join(f"{count} on the {name.upper()}" for name, count in sorted(present.items())))


def _trial(engine: Engine, version: Finding) -> Finding:
    """The version, where the database also does what requests need of it."""
    try:
        with TenantEngine(engine, DEFAULT_TENANT).session() as session:
            try_requests_work(session)
    except SalienceError as error:
        return fail("database", f"{version.detail}, but not to requests: {error.detail}", MIGRATE)
    return version


def _version(connection: Connection) -> Finding:
    started = time.monotonic()
    version = str(connection.scalar(text("SHOW server_version")))
    milliseconds = (time.monotonic() - started) * 1000
    if int(version.partition(".")[0]) < OLDEST_POSTGRES:
        return warn("database", f"PostgreSQL {version}", f"upgrade to PostgreSQL {OLDEST_POSTGRES} or newer")
    return ok("database", f"PostgreSQL {version} answers in {milliseconds:.1f} ms")


def _revision(connection: Connection) -> Finding:
    newest = newest_revision()
    if not inspect(connection).has_table("alembic_version"):
        return fail("revision", "the database has no tables yet", MIGRATE)
    found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    if found == newest:
        return ok("revision", f"{found}, the newest")
    if found is None or is_known(str(found)):
        if all(map(is_post, pending(found))):
            return warn("revision", f"{found}; {newest} comes after the last old process has ended", MIGRATE)
        return fail("revision", f"the database is at {found}, this code needs {newest}", MIGRATE)
    return fail("revision", f"the database is at {found}, which this code does not know", "update this installation")


def _clock(connection: Connection) -> Finding:
    before = datetime.now(UTC)
    theirs = connection.scalar(text("SELECT clock_timestamp()"))
    after = datetime.now(UTC)
    skew = (theirs - (before + (after - before) / 2)).total_seconds()
    if abs(skew) > SKEW_SECONDS:
        detail = f"the database's clock differs from this machine's by {skew:+.1f} s"
        return warn("clock", detail, "let both follow NTP: ids sort by the local clock, S3 refuses old signatures")
    return ok("clock", f"within {abs(skew) * 1000:.0f} ms of the database's")


def check_broker(settings: Settings) -> Iterator[Finding]:
    """That it answers, and how many messages wait in it."""
    advice = "start Valkey or Redis, or correct BROKER_URL (host, port, password) or BROKER_CA_FILE"
    try:
        queue = TaskQueue(settings.broker_url, settings.broker_ca_file)
    except SalienceError as error:
        yield fail("broker", error.detail, advice)
        return
    try:
        Broker.read(settings.broker_url, settings.broker_ca_file).check()
        queue.ping()
        yield ok("broker", f"answers; {queue.depth()} messages wait")
    except BrokerUrlInvalid as error:
        yield fail("broker", error.detail, advice)
    except SalienceError as error:
        yield fail("broker", f"cannot be reached: {reason(error)}", advice)
    finally:
        queue.close()


def check_blobs(settings: Settings) -> Iterator[Finding]:
    """Writes, reads and deletes a small blob."""
    folder = settings.local_blob_folder
    place = settings.blob_store if folder is None else str(folder.resolve())
    if folder is None:
        advice = "check bucket, S3_ENDPOINT and the AWS_... credentials: get, put, list and delete must be allowed"
    else:
        advice = f"make the folder writable for user {os.getuid()}, free some space, or correct BLOB_STORE"
    try:
        _probe(BlobStore.from_settings(settings))
        yield ok("blobs", f"{place} takes, gives back and deletes")
    except (SalienceError, OSError) as error:
        yield fail("blobs", f"{place} cannot be used: {reason(error)}", advice)


def _probe(blobs: BlobStore) -> None:
    content = os.urandom(PROBE_BYTES)
    with blobs.writer(PROBE_BYTES) as writer:
        writer.write(content)
        digest = writer.commit().digest
    try:
        if b"".join(blobs.read(digest)) != content:
            raise SalienceError("blob-differs", "What was read is not what was written.")
    finally:
        blobs.delete(digest)

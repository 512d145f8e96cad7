"""Whether the API may start where it is to listen, and the key that programs on this machine use."""

import ipaddress
import logging
import os
import time
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from app.access.keys import is_key, prefix_of
from app.access.repository import Grant, active_keys, any_active_key
from app.access.scopes import Scope
from app.access.secret import with_secret
from app.access.service import KeySigner, create_key
from app.db.faults import is_final, told
from app.db.session import make_engine, transaction
from app.db.tables import DEFAULT_TENANT
from app.errors import SalienceError
from app.settings import Settings

logger = logging.getLogger(__name__)

FILE_NAME = "api-key"
WAIT_SECONDS = 30.0
REFUSAL = (
    "There are no API keys, and {host} is not this machine's loopback address: anybody could come in, or nobody. "
    "Make a key first: salience-audit keys create --tenant NAME --scope audit:write"
)


class Entrance(NamedTuple):
    """Settings that fit the address, and this machine's own key, if it has one."""

    settings: Settings
    key: str | None


def open_entrance(settings: Settings, host: str, data: Path) -> Entrance:
    """On loopback, this machine gets a key of its own when the service first starts; it stays in the data folder.

    Raises SalienceError where the service would listen to others and nobody has a key.
    """
    settings, local = with_secret(settings, data), is_loopback(host)
    engine = make_engine(settings.database_url)
    try:
        key = _key_when_there(engine, KeySigner.of(settings), data / FILE_NAME, host)
    finally:
        engine.dispose()
    opened = {name: local for name in ("open_docs", "open_metrics") if getattr(settings, name) is None}
    return Entrance(settings.model_copy(update=opened), key)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _key_when_there(engine: Engine, signer: KeySigner, file: Path, host: str) -> str | None:
    """Database and service may be starting together."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            with transaction(engine) as session:
                return _key(session, signer, file, host)
        except OperationalError as error:
            logger.warning("the database is away: %s", type(error).__name__)
            if is_final(error) or time.monotonic() > deadline:
                raise SalienceError("database-unavailable", told(error)) from error
            time.sleep(1)
        except ProgrammingError as error:
            raise SalienceError("database-not-migrated", told(error)) from error


def _key(session: Session, signer: KeySigner, file: Path, host: str) -> str | None:
    kept = file.read_text() if file.exists() else ""
    if is_key(kept, signer.environment):
        row = active_keys(session, [prefix_of(kept)]).get(prefix_of(kept))
        if row is not None and row.key_hash == signer.hash(kept):
            return kept
    if is_loopback(host):
        key = create_key(session, signer, Grant(DEFAULT_TENANT, tuple(Scope), "made by salience-audit serve"))
        _keep(file, key)
        return key
    if not any_active_key(session):
        raise SalienceError("no-api-keys", REFUSAL.format(host=host))
    return None


def _keep(file: Path, key: str) -> None:
    """Before the commit: a file whose key is not there is replaced at the next start."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as target:
        target.write(key)

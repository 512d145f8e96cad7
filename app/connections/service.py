"""What is done with connections; never commits."""

import json
from collections.abc import Callable

from sqlalchemy.orm import Session

from app.access.vault import Vault
from app.connections.schemas import (
    Auth,
    AuthKind,
    Check,
    ConnectionChange,
    ConnectionRequest,
    ConnectionTest,
)
from app.db.identifiers import new_id
from app.db.tables import ConnectionRow
from app.domain.vocabulary import ConnectionKind
from app.egress.addresses import AddressGuard
from app.errors import EgressFailure, Unprocessable
from app.settings import Settings
from app.sources.registries import connected


def connect(session: Session, request: ConnectionRequest, vault: Vault, guard: AddressGuard) -> ConnectionRow:
    """Raises AddressNotAllowed, Unavailable ``encryption-keys-missing``."""
    row = ConnectionRow(id=new_id(), name=request.name, kind=request.kind.value, url=_checked(guard, request.url))
    _seal(row, request.auth, vault)
    session.add(row)
    session.flush()
    session.refresh(row)
    return row


def change(row: ConnectionRow, wanted: ConnectionChange, vault: Vault, guard: AddressGuard) -> None:
    """Raises AddressNotAllowed."""
    row.name = wanted.name or row.name
    if wanted.url is not None:
        row.url = _checked(guard, wanted.url)
    if wanted.auth is not None:
        _seal(row, wanted.auth, vault)


def try_out(row: ConnectionRow, vault: Vault, settings: Settings) -> ConnectionTest:
    """Waits for the registry: no transaction may be open meanwhile. Raises Unavailable where its secret is closed."""
    with connected(row, vault, settings) as registry:
        checks = [_tried(what, attempt) for what, attempt in registry.tries().items()]
    return ConnectionTest(works=all(check.works for check in checks), checks=checks)


def _tried(what: str, attempt: Callable[[], object]) -> Check:
    try:
        attempt()
    except EgressFailure as failure:
        return Check(what=what, works=False, code=failure.code, detail=failure.detail)
    return Check(what=what, works=True, code=None, detail=None)


def _checked(guard: AddressGuard, url: str) -> str:
    return str(guard.check_url(url)).rstrip("/")


def _seal(row: ConnectionRow, auth: Auth, vault: Vault) -> None:
    """Raises Unprocessable where the registry's kind could not be shown it."""
    if row.kind == ConnectionKind.S3 and auth.username is not None and not auth.username.isascii():
        raise Unprocessable.at("The id of an access key is of ASCII characters.", "auth", "username")
    if auth.region is not None and (row.kind != ConnectionKind.S3 or auth.username is None):
        raise Unprocessable.at("A region belongs to an access key, of a connection of kind s3.", "auth", "region")
    row.auth_kind = auth.kind.value
    row.secret = None if auth.kind is AuthKind.NONE else vault.seal(json.dumps(auth.plain()))

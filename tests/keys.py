"""The API key that every database of the tests has, and the secret under which it is hashed."""

from datetime import timedelta

from sqlalchemy import Engine

from app.access.keys import checksum, key_hash, prefix_of
from app.access.repository import Grant, NewKey, insert_key, tenant_named
from app.access.scopes import Scope
from app.access.service import KeySigner, create_key
from app.db.session import transaction
from app.db.tables import DEFAULT_TENANT

SECRET = "the-server-secret-of-these-tests"
_BODY = "sa_live_" + "TheirFinder0" + "s" * 36
KEY = _BODY + checksum(_BODY)
HEADERS = {"Authorization": f"Bearer {KEY}"}


def make_key(engine: Engine, tenant: str, *scopes: str, lifetime: timedelta | None = None) -> str:
    """A new one; without scopes it may read and write."""
    with transaction(engine) as session:
        chosen = [Scope(scope) for scope in scopes or (Scope.WRITE,)]
        grant = Grant(tenant_named(session, tenant).id, chosen, lifetime=lifetime)
        return create_key(session, KeySigner("live", SECRET.encode()), grant)


def insert_test_key(engine: Engine) -> None:
    """Good for everything in the default tenant."""
    with transaction(engine) as session:
        new = NewKey(prefix_of(KEY), key_hash(SECRET.encode(), KEY))
        insert_key(session, new, Grant(DEFAULT_TENANT, tuple(Scope), "tests"))

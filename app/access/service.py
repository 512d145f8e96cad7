"""Makes, rotates and revokes keys; never commits. A key is returned once and never stored."""

from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import func
from sqlalchemy.orm import Session

from app.access.keys import Environment, generate_key, key_hash, prefix_of
from app.access.repository import Grant, NewKey, insert_key, lock_key, retire_key
from app.access.scopes import Scope
from app.errors import SalienceError
from app.settings import Settings


class KeySigner(NamedTuple):
    """Makes keys' hashes: the environment they are for, and the server's secret."""

    environment: Environment
    secret: bytes

    @classmethod
    def of(cls, settings: Settings) -> "KeySigner":
        """Raises SalienceError where the settings have no secret: everybody could make keys under none."""
        if not settings.api_key_secret:
            raise SalienceError("api-key-secret-missing", "Set API_KEY_SECRET, or start with salience-audit serve.")
        return cls(settings.api_key_environment, settings.api_key_secret.encode())

    def hash(self, key: str) -> bytes:
        return key_hash(self.secret, key)


def create_key(session: Session, signer: KeySigner, grant: Grant) -> str:
    """The only time that the key is seen."""
    key = generate_key(signer.environment)
    insert_key(session, NewKey(prefix_of(key), signer.hash(key)), grant)
    return key


def rotate_key(session: Session, signer: KeySigner, prefix: str, grace: timedelta) -> str:
    """A key like that one, which still works for the grace. Raises NotFound or Conflict.

    The new one lives as long as the old one was to live from its beginning.
    """
    old = lock_key(session, prefix)
    lifetime = None if old.expires_at is None else old.expires_at - old.created_at
    retire_key(session, old, grace)
    scopes = [Scope(scope) for scope in old.scopes]
    return create_key(session, signer, Grant(old.tenant_id, scopes, old.name, lifetime, old.id))


def revoke_key(session: Session, prefix: str) -> None:
    """At once and for good. Raises NotFound or Conflict."""
    lock_key(session, prefix).revoked_at = func.clock_timestamp()
    session.flush()

"""Secrets at rest, encrypted again after ENCRYPTION_KEYS got a new first key: the old one can go then."""

import logging
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app.access.vault import Vault
from app.db.session import transaction
from app.db.tables import ConnectionRow, HookRow, WebhookRow
from app.errors import Unavailable

logger = logging.getLogger(__name__)

SEALED: dict[type[Any], tuple[str, ...]] = {
    ConnectionRow: ("secret",),
    HookRow: ("secret", "previous_secret"),
    WebhookRow: ("url", "secret", "previous_secret"),
}
"""Every column that a vault has sealed."""


def reseal(engine: Engine, vault: Vault) -> int:
    """How many; those that none of the keys opens stay as they are, and are told of."""
    if not vault.has_keys:
        return 0
    with transaction(engine) as session:
        return sum(_reseal(session, vault, table, names) for table, names in SEALED.items())


def _reseal(session: Session, vault: Vault, table: type[Any], names: tuple[str, ...]) -> int:
    changed = 0
    for row in session.scalars(select(table).with_for_update(skip_locked=True)):
        for name in names:
            try:
                sealed = getattr(row, name)
                again = None if sealed is None else vault.resealed(sealed)
            except Unavailable as error:
                logger.warning("%s %s: %s", table.__tablename__, row.id, error.detail)
                continue
            if again is not None:
                setattr(row, name, again)
                changed += 1
    return changed

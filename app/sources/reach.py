"""The way to a data set that stays where it is: over a connection, or to a folder of the operator's."""

from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from sqlalchemy.orm import Session

from app.access.vault import Vault
from app.db.tables import ConnectionRow, DatasetImportRow
from app.egress.client import EgressClient
from app.errors import EgressFailure, InputFailure, TransientFailure, Unavailable
from app.registries.listed import Listable, Place
from app.registries.places import names_one, place_of
from app.settings import Settings
from app.sources.registries import folders_of, registry_of

UNAVAILABLE = "source-unavailable"
READ_SECONDS = 60.0
"""That one object may take."""


@dataclass(frozen=True)
class Reach:
    """How a data set's source is reached: read once from the database, which nobody holds meanwhile."""

    tenant_id: UUID
    uri: str
    connection: ConnectionRow | None

    @classmethod
    def of(cls, session: Session, dataset_id: UUID) -> "Reach":
        """Raises InputFailure where the data set is gone."""
        row = session.get(DatasetImportRow, dataset_id)
        if row is None:
            raise InputFailure("artifact-corrupted", "Nothing says any more where the data set lies.")
        connection = None if row.connection_id is None else session.get_one(ConnectionRow, row.connection_id)
        return cls(row.tenant_id, row.uri, connection)

    @property
    def folder(self) -> str:
        """Of an address that names some of its shards, the folder in which they lie."""
        return place_of(self.uri)[0]

    @property
    def is_one_file(self) -> bool:
        """Whether the address names it."""
        return names_one(self.uri)

    def words(self) -> str:
        """Of the source, for people."""
        return self.uri if self.connection is None else f"{self.uri} (connection {self.connection.name[:100]!a})"

    def place(self, client: EgressClient, settings: Settings) -> Place:
        """Asks nobody yet. Raises InputFailure where the source may not be read, and TransientFailure where its
        secret cannot be opened now."""
        try:
            return self._place(client, settings)
        except EgressFailure as failure:
            raise InputFailure(failure.code, failure.detail) from failure
        except Unavailable as failure:
            raise TransientFailure(UNAVAILABLE, failure.detail) from failure

    def _place(self, client: EgressClient, settings: Settings) -> Place:
        if self.connection is None:
            return folders_of(self.tenant_id, settings).place(self.folder)
        registry = registry_of(self.connection, Vault.of(settings), client)
        if not isinstance(registry, Listable):
            raise EgressFailure("registry-not-found", "What the connection leads to cannot be listed.")
        return registry.place(self.folder)


def reading_client(settings: Settings) -> EgressClient:
    """For one thread."""
    return EgressClient.from_settings(settings, min(READ_SECONDS, settings.egress_fetch_seconds))


class OpenSource:
    """A data set's source for one thread, over a connection that is kept."""

    def __init__(self, reach: Reach, settings: Settings) -> None:
        self._reach = reach
        self._settings = settings
        self._client = reading_client(settings)

    @cached_property
    def place(self) -> Place:
        """As of `Reach`: its secret is opened once, not for every read."""
        return self._reach.place(self._client, self._settings)

    def close(self) -> None:
        """No read may be going on."""
        self._client.close()

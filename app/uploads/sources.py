"""``source``: content that is fetched instead of being uploaded."""

from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy.orm import Session

from app.db.tables import ConnectionRow
from app.errors import NotFound, Unprocessable
from app.registries.uris import FOLDER, SCHEMES, kind_of


class Source(BaseModel):
    """Where content lies, and over which connection it is reached."""

    model_config = ConfigDict(extra="forbid")

    connection_id: UUID | None = Field(None, description="Of the uri's kind; left out for `file://`.")
    uri: str = Field(max_length=600)

    @property
    def kind(self) -> str:
        """Of the connection that the address is for. Raises ValueError."""
        return kind_of(self.uri)

    @model_validator(mode="after")
    def reached(self) -> Self:
        kind = self.kind
        if kind == FOLDER and self.connection_id is not None:
            raise ValueError("file:// is read by the service itself: leave connection_id out")
        if kind != FOLDER and self.connection_id is None:
            where = f"make one of kind {kind} by POST /v1/connections, and name it as connection_id"
            raise ValueError(f"{SCHEMES[kind]} is fetched over a connection: {where}")
        return self


class Fetched(BaseModel):
    """Where content comes from, and what was found there."""

    connection_id: UUID | None
    uri: str
    name: str | None = Field(None, description="In the registry.")
    version: str | None = Field(None, description="That the uri named when it was fetched; of a Hub, the commit.")
    file: str | None = Field(None, description="Of the version's files, the one that was taken.")


def check_source(session: Session, source: Source) -> None:
    """Raises NotFound, and Unprocessable where the connection is of another kind."""
    if source.connection_id is None:
        return
    connection = session.get(ConnectionRow, source.connection_id)
    if connection is None:
        raise NotFound("connection")
    if connection.kind != source.kind:
        detail = f"An address of a {connection.kind} connection begins with {SCHEMES[connection.kind]}."
        raise Unprocessable.at(detail, "source", "uri")

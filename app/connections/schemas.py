"""A connection as it is asked for and shown."""

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from app.db.tables import ConnectionRow
from app.domain.stored_text import UNPRINTABLE
from app.domain.vocabulary import ConnectionKind
from app.http.schemas import Name

ConnectionId = Annotated[UUID, Path(description="The `id` that `POST /v1/connections` answered.")]
Url = Annotated[str, Field(min_length=1, max_length=2048, examples=["https://mlflow.example.com"])]
Secret = Annotated[SecretStr, Field(min_length=1, max_length=4096)]


_TOKEN = re.compile("[!-~]+")
_PASSWORD = re.compile(f"[^{UNPRINTABLE}]+")
_USER = re.compile(f"[^:{UNPRINTABLE}]+")


class AuthKind(StrEnum):
    """What a registry is shown."""

    NONE = "none"
    TOKEN = "token"  # noqa: S105 - the name of a kind
    PASSWORD = "password"  # noqa: S105


class Auth(BaseModel):
    """A token, sent as `Authorization: Bearer`; or a user's name and password, sent as `Basic`. Of `s3` they are
    an access key's id and secret, which signs and is never sent."""

    model_config = ConfigDict(extra="forbid")

    token: Secret | None = None
    username: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    password: Secret | None = None
    region: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,40}$", examples=["fr-par"])] | None = Field(
        None, description="Of `s3`: for which the key signs, where the address does not say it; else `us-east-1`."
    )

    @model_validator(mode="after")
    def one_kind(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("a username needs a password, and a password a username")
        if self.token is not None and self.username is not None:
            raise ValueError("name a token, or a username and a password")
        return self

    @model_validator(mode="after")
    def sendable(self) -> Self:
        """What is shown in a header, as it is shown there; a name and a password are encoded first."""
        if self.token is not None and not _TOKEN.fullmatch(self.token.get_secret_value()):
            raise ValueError("a token is of visible ASCII characters, without spaces: look how it was copied")
        if self.username is not None and not _USER.fullmatch(self.username):
            raise ValueError("a username has no colon and no control characters")
        if self.password is not None and not _PASSWORD.fullmatch(self.password.get_secret_value()):
            raise ValueError("a password has no control characters")
        return self

    @property
    def kind(self) -> AuthKind:
        if self.token is not None:
            return AuthKind.TOKEN
        return AuthKind.NONE if self.username is None else AuthKind.PASSWORD

    def plain(self) -> dict[str, str]:
        """To be sealed."""
        fields = {"token": self.token, "password": self.password}
        secrets = {name: value.get_secret_value() for name, value in fields.items() if value is not None}
        shown = {"username": self.username, "region": self.region}
        return secrets | {name: value for name, value in shown.items() if value is not None}


class ConnectionRequest(BaseModel):
    """A registry, and what it wants to be shown."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    kind: ConnectionKind
    url: Url
    auth: Auth = Field(default_factory=Auth, description="Kept encrypted; it never comes back.")


class ConnectionChange(BaseModel):
    """What is named is changed. Another address needs `auth` again: a secret stays with the host it was given for."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    url: Url | None = None
    auth: Auth | None = None

    @model_validator(mode="after")
    def something(self) -> Self:
        if not {field for field in self.model_fields_set if getattr(self, field) is not None}:
            raise ValueError("name at least one field to change")
        if self.url is not None and self.auth is None:
            raise ValueError("a new url needs auth as well: {} where the registry wants none")
        return self


class Connection(BaseModel):
    """A connection, without its secrets."""

    id: UUID
    name: str
    kind: ConnectionKind
    url: str
    auth: AuthKind
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: ConnectionRow) -> Self:
        return cls(
            id=row.id,
            name=row.name,
            kind=ConnectionKind(row.kind),
            url=row.url,
            auth=AuthKind(row.auth_kind),
            created_at=row.created_at,
            updated_at=row.updated_at,
        )


class Check(BaseModel):
    """One thing that was tried."""

    what: str = Field(examples=["the registry lists model versions"])
    works: bool
    code: str | None = Field(description="Of the failure.", examples=["address-not-allowed"])
    detail: str | None


class ConnectionTest(BaseModel):
    """What works over a connection, in words."""

    works: bool
    checks: list[Check]

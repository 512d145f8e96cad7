"""The parts that the service is made of, and what it says of itself."""

import re

from pydantic import BaseModel, Field, field_validator

from app.settings.values import Networks, Several


class ServiceParts(BaseModel):
    """The parts that the service is made of, and what it says of itself."""

    database_url: str = Field(default="postgresql+psycopg://localhost/salience_audit", repr=False)
    broker_url: str = Field(default="redis://localhost:6379/0", repr=False)
    broker_ca_file: str | None = Field(default=None, description="Certificates to trust, PEM; unset: the system's")
    blob_store: str = Field(default="data/blobs", description="A folder, or s3://bucket/prefix")
    s3_endpoint: str | None = None
    public_url: str | None = Field(default=None, description="How others reach the API; begins links in messages")
    open_docs: bool | None = Field(default=None, description="/docs and /openapi.json; unset: on loopback only")
    open_metrics: bool | None = Field(default=None, description="/metrics without a key; unset: on loopback only")
    root_path: str = Field(default="", description="Path prefix under which a reverse proxy shows the API: /salience")
    trusted_proxies: Networks = Field(
        default=frozenset({"127.0.0.1", "::1"}), description="Addresses or networks whose X-Forwarded-... count"
    )
    cors_origins: Several[str] = Field(
        default=frozenset(), description="Origins whose pages may call the API: https://ml.example.com; or *"
    )

    @field_validator("root_path")
    @classmethod
    def _is_prefix(cls, value: str) -> str:
        """``/salience``, with or without a slash at its end."""
        prefix = value.rstrip("/")
        if prefix and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", prefix):
            raise ValueError("it begins with a slash and has letters, digits, dots, hyphens: /salience")
        return prefix

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, value: frozenset[str]) -> frozenset[str]:
        for origin in value - {"*"}:
            if not re.fullmatch(r"[a-z][a-z0-9+.-]*://[^/?#@]+", origin):
                raise ValueError("an origin is a scheme and a host, without a path: https://ml.example.com")
        return value

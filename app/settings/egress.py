"""Calls to addresses that tenants choose, and what follows from registries."""

from pydantic import BaseModel, Field, field_validator

from app.settings.values import GIBIBYTE, Networks, Several


class EgressSettings(BaseModel):
    """Calls to addresses that tenants choose, and what follows from registries."""

    allowed_networks: Networks = Field(
        default=frozenset(), description="Networks that tenants' addresses may lie in though they are not public"
    )
    import_roots: Several[str] = Field(
        default=frozenset(),
        description="Folders that file:// sources may lie in; {tenant_id} is the tenant's",
    )
    egress_ca_file: str | None = Field(default=None, description="Certificates to trust, PEM; unset: the system's")
    egress_pause_seconds: float = Field(default=10.0, gt=0, description="Without a byte from an address of a tenant")
    egress_call_seconds: float = Field(default=15.0, gt=0, description="Of a call, from name to answer")
    registry_seconds: float = Field(default=1.0, gt=0, description="How often imports and events are looked at")
    sweep_seconds: float = Field(default=300.0, gt=0, description="How often a policy asks its registry for versions")
    egress_fetch_seconds: float = Field(default=3600.0, gt=0, description="Of one file that is fetched")
    source_wait_seconds: float = Field(default=86_400.0, ge=0, description="For a data set's source that is away")
    min_egress_rate: int = Field(default=16 * 1024, ge=0, description="Bytes a second of a fetch, over 30 s; 0: any")
    import_seconds: float = Field(default=21_600.0, gt=0, description="Of one attempt at a model or data set")
    max_tenant_egress_requests: int = Field(default=1_000_000, ge=0, description="In an hour; 0: any number")
    max_tenant_egress_bytes: int = Field(default=1024 * GIBIBYTE, ge=0, description="Sent and received by them")

    @field_validator("import_roots")
    @classmethod
    def _are_folders(cls, value: frozenset[str]) -> frozenset[str]:
        for folder in value:
            if not folder.startswith("/") or ".." in folder.split("/") or not folder.strip("/"):
                raise ValueError("a root is a folder by its whole path: /srv/models")
        return value

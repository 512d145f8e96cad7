"""How much a tenant may ask for and keep."""

from pydantic import BaseModel, Field


class TenantLimits(BaseModel):
    """How much a tenant may ask for and keep."""

    rate_window_seconds: int = Field(default=60, ge=1)
    rate_limit_patience_seconds: float = Field(default=0.5, gt=0, description="With the broker's counts")
    rate_limit_key: int = Field(default=12_000, ge=0, description="Requests of a key in a window; 0: any number")
    rate_limit_tenant: int = Field(default=24_000, ge=0, description="Of all keys and hooks of a tenant")
    rate_limit_hook: int = Field(default=1_200, ge=0, description="Deliveries to a hook in a window; 0: any number")
    max_tenant_bytes: int = Field(default=0, ge=0, description="Uploaded content of a tenant; 0: no limit, here below")
    max_tenant_models: int = Field(default=0, ge=0)
    max_tenant_webhooks: int = Field(default=20, ge=0)
    max_tenant_connections: int = Field(default=100, ge=0)
    max_tenant_hooks: int = Field(default=100, ge=0)
    max_tenant_policies: int = Field(default=100, ge=0)
    max_tenant_live_audits: int = Field(default=0, ge=0, description="Queued or running")
    max_tenant_audit_minutes: int = Field(default=0, ge=0, description="Of workers, in thirty days")

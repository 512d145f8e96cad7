"""What opens the service and what it keeps closed."""

from typing import Literal

from pydantic import BaseModel, Field, field_validator


class Secrets(BaseModel):
    """What opens the service and what it keeps closed."""

    api_key_secret: str | None = Field(default=None, repr=False, description="Keys are hashed under it; or a file")
    api_key_environment: Literal["live", "test"] = Field(default="live", description="Of the keys that are taken")
    encryption_keys: str | None = Field(
        default=None, repr=False, description="Fernet keys for secrets at rest, the newest first; or a file"
    )
    # Read by torch: with it, torch.load runs whatever a file says.
    torch_force_no_weights_only_load: str | None = None
    # Read by the S3 client and by OpenTelemetry; here only to be kept out of logs.
    aws_access_key_id: str | None = Field(default=None, repr=False)
    aws_secret_access_key: str | None = Field(default=None, repr=False)
    aws_session_token: str | None = Field(default=None, repr=False)

    @field_validator("torch_force_no_weights_only_load")
    @classmethod
    def _weights_only(cls, value: str | None) -> str | None:
        if value is not None and value.strip().lower() not in {"", "0", "n", "no", "false"}:
            raise ValueError("it makes uploaded models run code: unset it")
        return value

"""The only reader of the environment."""

import ipaddress
import os
import re
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from app.domain.vocabulary import SandboxLayer

MEBIBYTE = 1024**2
GIBIBYTE = 1024**3


class SecretUnreadable(Exception):
    """The file that a secret is to stand in; its text is for people."""


class LogFormat(StrEnum):
    """How a log line looks."""

    JSON = "json"
    TEXT = "text"


class Settings(BaseSettings):
    """Every setting, by its environment variable (``DATABASE_URL``, ``BROKER_URL``, ``BLOB_STORE``, ...)."""

    model_config = SettingsConfigDict(env_file=None, extra="ignore", frozen=True, env_ignore_empty=True)

    database_url: str = Field(default="postgresql+psycopg://localhost/salience_audit", repr=False)
    broker_url: str = Field(default="redis://localhost:6379/0", repr=False)
    broker_ca_file: str | None = Field(default=None, description="Certificates to trust, PEM; unset: the system's")
    blob_store: str = Field(default="data/blobs", description="A folder, or s3://bucket/prefix")
    s3_endpoint: str | None = None

    api_key_secret: str | None = Field(default=None, repr=False, description="Keys are hashed under it; or a file")
    api_key_environment: Literal["live", "test"] = Field(default="live", description="Of the keys that are taken")
    encryption_keys: str | None = Field(
        default=None, repr=False, description="Fernet keys for secrets at rest, the newest first; or a file"
    )
    public_url: str | None = Field(default=None, description="How others reach the API; begins links in messages")
    open_docs: bool | None = Field(default=None, description="/docs and /openapi.json; unset: on loopback only")
    open_metrics: bool | None = Field(default=None, description="/metrics without a key; unset: on loopback only")

    root_path: str = Field(default="", description="Path prefix under which a reverse proxy shows the API: /salience")
    trusted_proxies: Annotated[frozenset[str], NoDecode] = Field(
        default=frozenset({"127.0.0.1", "::1"}), description="Addresses or networks whose X-Forwarded-... count"
    )
    cors_origins: Annotated[frozenset[str], NoDecode] = Field(
        default=frozenset(), description="Origins whose pages may call the API: https://ml.example.com; or *"
    )

    allowed_networks: Annotated[frozenset[str], NoDecode] = Field(
        default=frozenset(), description="Networks that tenants' addresses may lie in though they are not public"
    )
    import_roots: Annotated[frozenset[str], NoDecode] = Field(
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

    max_upload_bytes: int = 5 * GIBIBYTE
    max_json_bytes: int = 1 * MEBIBYTE
    max_delivery_bytes: int = Field(default=256 * 1024, ge=1, description="Of a delivery to a hook, batches too")
    max_hook_deliveries: int = Field(default=1_000, ge=1, description="That a hook keeps: the oldest goes first")
    max_hook_bytes: int = Field(default=16 * MEBIBYTE, ge=1, description="Of their bodies")
    max_header_bytes: int = 64 * 1024
    max_headers: int = Field(default=200, ge=1, le=1000)
    body_idle_seconds: float = Field(default=30.0, gt=0, description="A body that pauses for longer is given up")
    min_body_rate: int = Field(default=16 * 1024, ge=1, description="Bytes a second, after the grace")
    body_grace_seconds: float = Field(default=60.0, gt=0, description="That a body may take at any rate")
    max_inflated_bytes: int = 20 * GIBIBYTE
    max_entry_bytes: int = 64 * MEBIBYTE
    max_views_bytes: int = Field(default=4 * GIBIBYTE, ge=1, description="Pixels of an archive of changed images")
    max_entries: int = 1_000_000
    max_ratio: int = 200
    max_pixels: int = 50_000_000
    min_side: int = 8
    max_side: int = 16_384
    max_path_bytes: int = 1024
    max_path_depth: int = 16
    max_unreadable_share: float = Field(default=0.05, ge=0, le=0.5)
    min_unreadable_allowance: int = Field(default=10, ge=0, description="Bad samples that any data set may have")

    shard_samples: int | None = Field(default=None, ge=1, description="Of every shard; unset: by SHARD_SECONDS")
    shard_seconds: float = Field(default=30.0, gt=0, description="Work that a shard should be")
    max_shard_samples: int = Field(default=4096, ge=1)
    max_shard_bytes: int = Field(default=64 * MEBIBYTE, ge=1, description="Rows that are stored at once")
    audit_device_class: Literal["auto", "cpu", "gpu"] = Field(
        default="auto", description="Where audits run that do not say; auto: gpu where a GPU worker is known, else cpu"
    )
    lease_seconds: float = Field(default=60.0, gt=0)
    max_shard_attempts: int = 3
    child_batch_seconds: float = Field(
        default=600.0,
        gt=0,
        description="Wall clock of one micro-batch, of 16 variants of an image, or model load",
    )
    child_memory_bytes: int = Field(
        default=0, ge=0, description="Of a models' process; 0: 3/4 of what there is, on a CPU at most 4 GiB"
    )
    child_gpu_memory_share: float = Field(default=0.9, gt=0, le=1, description="Of a GPU, for a models' process")
    child_scratch_bytes: int = Field(default=256 * MEBIBYTE, ge=0, description="Of all files of a models' process")
    child_scratch_files: int = Field(default=10_000, ge=0, description="That a models' process may make")
    warm_children: int = Field(default=2, ge=1, description="Models' processes that are kept for their next shard")
    allow_missing_sandbox_layers: Annotated[frozenset[SandboxLayer], NoDecode] = Field(
        default=frozenset(),
        # The second is the name before 0.2, read until 0.3.
        validation_alias=AliasChoices("allow_missing_sandbox_layers", "allow_missing_walls"),
        description="Layers of the sandbox without which models are run all the same: see docs/security.md",
    )
    reconcile_seconds: float = Field(default=5.0, gt=0)
    reconcile_after_seconds: float = Field(default=15.0, gt=0, description="How long a message may be overdue")
    watch_seconds: float = Field(default=1.0, gt=0, description="How often watched audits are looked at")
    watch_heartbeat_seconds: float = Field(default=15.0, gt=0, description="A comment to silent watchers")
    max_partial_samples: int = Field(default=100_000, ge=1, description="2 s of work for 10,000 samples and a model")
    webhook_seconds: float = Field(default=1.0, gt=0, description="How often what is due for webhooks is looked for")
    housekeeping_seconds: float = Field(default=600.0, gt=0)
    orphan_grace_seconds: float = Field(default=86_400.0, gt=0, description="Age of a blob that nothing refers to")
    keep_idempotency_keys_days: float = Field(default=1.0, gt=0, description="How long a key gets the same answer")
    keep_deliveries_days: float = Field(
        default=30.0, gt=0, description="Of webhooks, once delivered or given up; of hooks"
    )
    keep_awaiting_days: float = Field(default=0.0, ge=0, description="Registrations without content; 0: for ever")
    keep_maps_days: float = Field(default=0.0, ge=0, description="Maps of audits that have ended; 0: for ever")
    keep_scores_days: float = Field(default=0.0, ge=0, description="Scores of audits that have ended; 0: for ever")
    keep_views_days: float = Field(default=7.0, gt=0, description="Archives of changed images; asked for, made again")
    compare_versions: bool = Field(default=True, description="Each audit of one model with its version before")
    reuse_clean_maps: bool = Field(default=True, description="Take clean maps that an earlier audit of the pair stored")
    device: str = Field(default="auto", description="auto, cpu or cuda")
    cuda_visible_devices: str | None = Field(default=None, description="CUDA's own choice of GPUs")
    threads: int = Field(default=0, ge=0, description="Torch threads of a worker; 0: every core it may use")
    decoders: int | None = Field(
        default=None,
        ge=0,
        le=64,
        description="Processes that decode beside the passes; unset: by the cores; 0: a thread",
    )
    log_level: str = "INFO"
    log_format: LogFormat | None = Field(default=None, description="json or text; by default text on a terminal")

    otel_exporter_otlp_endpoint: str | None = Field(default=None, description="Where traces go, over OTLP/HTTP")
    otel_exporter_otlp_traces_endpoint: str | None = None
    otel_traces_exporter: str | None = Field(default=None, description="otlp, console or none")
    otel_service_name: str | None = None

    # Read by torch: with it, torch.load runs whatever a file says.
    torch_force_no_weights_only_load: str | None = None

    # Read by the S3 client and by OpenTelemetry; here only to be kept out of logs.
    aws_access_key_id: str | None = Field(default=None, repr=False)
    aws_secret_access_key: str | None = Field(default=None, repr=False)
    aws_session_token: str | None = Field(default=None, repr=False)
    otel_exporter_otlp_headers: str | None = Field(default=None, repr=False)

    @field_validator(
        "allow_missing_sandbox_layers",
        "trusted_proxies",
        "cors_origins",
        "allowed_networks",
        "import_roots",
        mode="before",
    )
    @classmethod
    def _several(cls, value: Any) -> Any:
        """Separated by commas."""
        return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value

    @field_validator("root_path")
    @classmethod
    def _is_prefix(cls, value: str) -> str:
        """``/salience``, with or without a slash at its end."""
        prefix = value.rstrip("/")
        if prefix and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", prefix):
            raise ValueError("it begins with a slash and has letters, digits, dots, hyphens: /salience")
        return prefix

    @field_validator("trusted_proxies", "allowed_networks")
    @classmethod
    def _are_networks(cls, value: frozenset[str]) -> frozenset[str]:
        for network in value:
            ipaddress.ip_network(network)
        return value

    @field_validator("import_roots")
    @classmethod
    def _are_folders(cls, value: frozenset[str]) -> frozenset[str]:
        for folder in value:
            if not folder.startswith("/") or ".." in folder.split("/") or not folder.strip("/"):
                raise ValueError("a root is a folder by its whole path: /srv/models")
        return value

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, value: frozenset[str]) -> frozenset[str]:
        for origin in value - {"*"}:
            if not re.fullmatch(r"[a-z][a-z0-9+.-]*://[^/?#@]+", origin):
                raise ValueError("an origin is a scheme and a host, without a path: https://ml.example.com")
        return value

    @field_validator("torch_force_no_weights_only_load")
    @classmethod
    def _weights_only(cls, value: str | None) -> str | None:
        if value is not None and value.strip().lower() not in {"", "0", "n", "no", "false"}:
            raise ValueError("it makes uploaded models run code: unset it")
        return value

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], *_: PydanticBaseSettingsSource, **sources: PydanticBaseSettingsSource
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """A secret's file goes before the variable itself."""
        return sources["init_settings"], _SecretFiles(settings_cls), sources["env_settings"]

    @property
    def local_blob_folder(self) -> Path | None:
        return None if self.blob_store.startswith("s3://") else Path(self.blob_store)

    @property
    def traces_wanted(self) -> bool:
        """Whether an exporter of traces is set."""
        if self.otel_traces_exporter is not None:
            return self.otel_traces_exporter in {"otlp", "console"}
        return bool(self.otel_exporter_otlp_endpoint or self.otel_exporter_otlp_traces_endpoint)

    def secrets(self) -> tuple[str, ...]:
        """What no log line may hold."""
        passwords = [urlsplit(url).password for url in (self.database_url, self.broker_url)]
        keys = [self.aws_access_key_id, self.aws_secret_access_key, self.aws_session_token, self.api_key_secret]
        keys += (self.encryption_keys or "").split(",")
        exporter = [pair.partition("=")[2].strip() for pair in (self.otel_exporter_otlp_headers or "").split(",")]
        return tuple(secret for secret in (*passwords, *keys, *exporter) if secret)


class _SecretFiles(PydanticBaseSettingsSource):
    """``DATABASE_URL_FILE`` and its like: a secret as orchestrators mount it, without a line's end."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        path = os.environ.get(f"{field_name.upper()}_FILE") if field.repr is False else None
        if not path:
            return None, field_name, False
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            raise SecretUnreadable(f"{field_name.upper()}_FILE cannot be read: {path}: {why}.") from error

    def __call__(self) -> dict[str, Any]:
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}


def secret_settings() -> list[str]:
    """The variables that hold secrets: each may be given by NAME_FILE instead."""
    return [name.upper() for name, field in Settings.model_fields.items() if field.repr is False]


def named_in_environment(variable: str) -> bool:
    """Whether it, or its file, is set."""
    return bool(os.environ.get(variable) or os.environ.get(f"{variable}_FILE"))


def settings_faults(error: ValidationError) -> list[str]:
    """What is wrong with the environment, by variable; without the values, which may be secrets."""
    return [f"{'.'.join(map(str, fault['loc'])).upper()}: {fault['msg']}" for fault in error.errors()]


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()

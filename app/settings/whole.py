"""All settings together."""

import os
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from app.settings.egress import EgressSettings
from app.settings.limits import UploadLimits
from app.settings.observability import ObservabilitySettings
from app.settings.parts import ServiceParts
from app.settings.secret_files import SecretFiles
from app.settings.secrets import Secrets
from app.settings.tenants import TenantLimits
from app.settings.upkeep import UpkeepSettings
from app.settings.work import WorkSettings


class Settings(
    ObservabilitySettings,
    UpkeepSettings,
    WorkSettings,
    UploadLimits,
    TenantLimits,
    EgressSettings,
    Secrets,
    ServiceParts,
    BaseSettings,
):
    """Every setting, by its environment variable (``DATABASE_URL``, ``BROKER_URL``, ``BLOB_STORE``, ...)."""

    model_config = SettingsConfigDict(env_file=None, extra="ignore", frozen=True, env_ignore_empty=True)

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], *_: PydanticBaseSettingsSource, **sources: PydanticBaseSettingsSource
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """A secret's file goes before the variable itself."""
        return sources["init_settings"], SecretFiles(settings_cls), sources["env_settings"]

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

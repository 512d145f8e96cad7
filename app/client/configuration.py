"""Where the service is, and which key it gets.

Arguments go before the environment (``SALIENCE_AUDIT_URL``, ``SALIENCE_AUDIT_API_KEY``), that before the configuration
file, and that before the service that runs in a data folder of this machine.
"""

import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.client.errors import ConfigurationError
from app.server_file import ServerFile


class _Environment(BaseSettings):
    """What the environment names."""

    model_config = SettingsConfigDict(env_prefix="SALIENCE_AUDIT_", extra="ignore", env_ignore_empty=True)

    url: str | None = None
    api_key: str | None = Field(None, repr=False)
    config: Path | None = None
    data: Path = Path("data/serve")
    xdg_config_home: Path = Field(Path("~/.config"), validation_alias="XDG_CONFIG_HOME")


class _File(BaseModel):
    """The configuration file: TOML with these keys and no others."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    url: str | None = None
    api_key: str | None = Field(None, repr=False)


@dataclass(frozen=True)
class Address:
    """A service and the key that it gets."""

    url: str
    api_key: str | None = field(repr=False)


def find_service(url: str | None = None, api_key: str | None = None, config: Path | None = None) -> Address:
    """From what is named first; raises ConfigurationError.

    The key of the configuration file goes only to the file's own address, that of a running service to itself.
    """
    if url and api_key:
        return Address(_checked(url), api_key)
    environment = _Environment()
    chosen, path = config or environment.config, environment.xdg_config_home / "salience-audit" / "config.toml"
    file = _read(chosen or path.expanduser(), is_needed=chosen is not None)
    named, key = url or environment.url, api_key or environment.api_key
    if named is None and file.url is None:
        return _running(environment.data, key or file.api_key, chosen or path)
    is_for_file = named is None or file.url in {None, named}
    return Address(_checked(named or file.url or ""), key or (file.api_key if is_for_file else None))


def _read(path: Path, *, is_needed: bool) -> _File:
    if not is_needed and not path.exists():
        return _File()
    try:
        return _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigurationError("config-unreadable", f"{path} cannot be read: {error.strerror}.") from None
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise ConfigurationError("config-invalid", f"{path}: {faults}. It may have url and api_key.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError("config-invalid", f"{path} is no TOML: {error}.") from None


def _running(data: Path, key: str | None, config: Path) -> Address:
    try:
        found = ServerFile(data).read()
    except (OSError, json.JSONDecodeError):
        where = f"--url, SALIENCE_AUDIT_URL, or url in {config}"
        detail = f"No service is named, and none runs in {data}. Start one with `salience-audit serve`, or name one: "
        raise ConfigurationError("no-service", detail + where + ".") from None
    return Address(_checked(found["url"] or ""), key or found["api_key"])


def _checked(url: str) -> str:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL()
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise ConfigurationError("bad-url", f"{url!r} is no address of a service; one looks like http://127.0.0.1:8000")
    return url.rstrip("/")

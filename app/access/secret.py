"""The server's secret, under which keys are hashed: ``API_KEY_SECRET``, else a file in the data folder."""

import os
import secrets
from pathlib import Path

from app.errors import SalienceError
from app.settings import Settings

FILE_NAME = "api-key.secret"
SHORTEST = 32


def with_secret(settings: Settings, data: Path) -> Settings:
    """The settings with a secret in them. Raises SalienceError where the one they have is too short."""
    secret = settings.api_key_secret or _of_folder(data / FILE_NAME)
    if len(secret) < SHORTEST:
        raise SalienceError("api-key-secret-too-short", f"API_KEY_SECRET must have {SHORTEST} characters or more.")
    return settings.model_copy(update={"api_key_secret": secret})


def _of_folder(file: Path) -> str:
    """Made where there is none; of two processes that make it at once, one is the first and both use its own."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f"{file.name}.{os.getpid()}")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as target:
            target.write(secrets.token_hex(32))
        try:
            os.link(draft, file)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return file.read_text()

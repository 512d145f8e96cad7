"""Secrets from files, as orchestrators mount them."""

import os
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource


class SecretUnreadable(Exception):
    """The file that a secret is to stand in; its text is for people."""


class SecretFiles(PydanticBaseSettingsSource):
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

"""The only reader of the environment."""

from app.settings.observability import LogFormat
from app.settings.secret_files import SecretUnreadable
from app.settings.values import GIBIBYTE, MEBIBYTE
from app.settings.whole import Settings, get_settings, named_in_environment, secret_settings, settings_faults

__all__ = [
    "GIBIBYTE",
    "MEBIBYTE",
    "LogFormat",
    "SecretUnreadable",
    "Settings",
    "get_settings",
    "named_in_environment",
    "secret_settings",
    "settings_faults",
]

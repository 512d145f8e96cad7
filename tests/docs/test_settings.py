"""The tables of docs/operations.md hold every setting, with its default."""

import re

import pytest

from app.settings import Settings
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `([A-Z0-9_]+)` \| ([^|]*) \|", PAGE, re.MULTILINE))
OWN_SERVERS = {"DATABASE_URL", "BROKER_URL"}
"""Unset, `serve` starts its own."""
UNITS = {"KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}


@pytest.mark.parametrize("name", Settings.model_fields)
def test_is_named(name: str) -> None:
    assert re.search(rf"`{name.upper()}`", PAGE)


@pytest.mark.parametrize("variable", ROWS)
def test_default_is_as_told(variable: str) -> None:
    default = Settings.model_fields[variable.lower()].default
    assert _value(ROWS[variable]) == _shown(variable, default)


def _shown(variable: str, default: object) -> object:
    if isinstance(default, frozenset):
        return ",".join(sorted(default)) or None
    return None if variable in OWN_SERVERS or (not default and isinstance(default, str)) else default


def _value(cell: str) -> object:
    """``5 GiB``, ``86,400``, ``0.05``, ``true``, `` `auto` `` or nothing."""
    text = cell.strip().strip("`")
    if not text:
        return None
    if text in {"true", "false"}:
        return text == "true"
    digits, _, unit = text.replace(",", "").partition(" ")
    return float(digits) * UNITS.get(unit, 1) if re.fullmatch(r"[\d.]+", digits) else text

"""Which kinds of connection take what policies write back: as their classes do it, and as the guide's table says."""

import re
from pathlib import Path

import pytest

from app.domain.vocabulary import ConnectionKind
from app.errors import Unprocessable
from app.policies.capabilities import check_write_back
from app.policies.schemas import WriteBack

GUIDE = (Path(__file__).parents[2] / "docs" / "registries.md").read_text(encoding="utf-8")
TABLE = GUIDE.split("| `write_back` |")[1].split("\n\n")[0]
ROWS = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", TABLE, re.MULTILINE))


@pytest.mark.parametrize("field", WriteBack.model_fields)
def test_kinds_that_take_it(field: str) -> None:
    """Every other kind is refused, with the field, and with those that take it."""
    able = set(re.findall("`([^`]*)`", ROWS[field]))
    asked = WriteBack.model_validate({field: "champion" if field == "alias_on_pass" else True})
    for kind in ConnectionKind:
        if kind in able:
            check_write_back(kind, asked)
            continue
        with pytest.raises(Unprocessable) as refused:
            check_write_back(kind, asked)
        assert refused.value.errors[0]["loc"] == ["body", "write_back", field]
        assert f"of {', '.join(one for one in ConnectionKind if one in able)} it works" in refused.value.detail


@pytest.mark.parametrize("kind", ConnectionKind)
def test_what_nobody_asked_for_refuses_nothing(kind: ConnectionKind) -> None:
    check_write_back(kind, WriteBack())
    check_write_back(kind, WriteBack(tags=False, run=False, pull_request=False, alias_on_pass=None))

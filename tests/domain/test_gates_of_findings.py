"""Gates that count findings."""

from typing import Any

import pytest

from app.domain.gates.audit_numbers import AuditNumbers
from app.domain.gates.compared_numbers import GateNumbers
from app.domain.gates.parser import parse_condition
from app.domain.gates.tokens import ConditionError
from app.domain.gates.verdicts import judge
from app.domain.protocol import Protocol


def _verdict(condition: str, *levels: str) -> Any:
    document: Any = {"protocol": Protocol().to_json(), "findings": [{"level": level} for level in levels]}
    return judge([parse_condition(condition)], GateNumbers(AuditNumbers(document, []), None, [], ""))["verdict"]


def test_signs_of_a_shortcut_fail_a_gate() -> None:
    assert str(parse_condition("findings.exposes == 0")) == "findings.exposes == 0"
    assert _verdict("findings.exposes == 0") == "passed"
    assert _verdict("findings.exposes == 0", "says-nothing") == "passed"
    assert _verdict("findings.exposes == 0", "exposes", "note") == "failed"
    assert _verdict("findings.says_nothing <= 1", "says-nothing") == "passed"
    assert _verdict("findings.says_nothing < 1", "says-nothing") == "failed"


@pytest.mark.parametrize(
    "text", ["findings == 0", "findings.exposes[macro] == 0", "findings[macro].exposes == 0", "findings.exposes = 0"]
)
def test_what_findings_do_not_have(text: str) -> None:
    with pytest.raises(ConditionError):
        parse_condition(text)

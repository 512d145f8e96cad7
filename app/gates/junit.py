"""A verdict as JUnit XML, which CI systems show as a list of tests."""

from xml.etree import ElementTree as ET

from app.domain.gates.stored import Outcome, Severity
from app.gates.schemas import AuditVerdict, ConditionOutcome

MEDIA_TYPES = ("application/xml", "text/xml")


def as_junit(verdict: AuditVerdict) -> bytes:
    """One test case a condition: failed is a failure, inconclusive an error, and a warning is skipped."""
    rows = verdict.conditions
    counts = {
        "tests": len(rows),
        "failures": sum(_kind(row) == "failure" for row in rows),
        "errors": sum(_kind(row) == "error" for row in rows),
        "skipped": sum(_kind(row) == "skipped" for row in rows),
    }
    attributes = {name: str(count) for name, count in counts.items()}
    suites = ET.Element("testsuites", {"name": "salience-audit", **attributes})
    suite = ET.SubElement(suites, "testsuite", {"name": _clean(verdict.gate.name), **attributes})
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(verdict).items():
        ET.SubElement(properties, "property", {"name": name, "value": value})
    for row in rows:
        _add_case(suite, verdict, row)
    ET.indent(suites)
    document: bytes = ET.tostring(suites, encoding="utf-8", xml_declaration=True)
    return document


def _properties(verdict: AuditVerdict) -> dict[str, str]:
    baseline = verdict.gate.baseline_audit_id
    return {
        "audit_id": str(verdict.audit_id),
        "verdict": verdict.verdict,
        "gate_digest": verdict.gate.digest,
        "says_nothing": ", ".join(verdict.says_nothing),
        **({} if baseline is None else {"baseline_audit_id": str(baseline)}),
    }


def _add_case(suite: ET.Element, verdict: AuditVerdict, row: ConditionOutcome) -> None:
    names = {"classname": f"gate.{_clean(verdict.gate.name)}", "name": _clean(row.condition)}
    case = ET.SubElement(suite, "testcase", names)
    kind, words = _kind(row), _clean(row.explanation)
    if kind is None:
        ET.SubElement(case, "system-out").text = words
    elif kind == "skipped":
        ET.SubElement(case, kind, {"message": f"warning, {row.outcome}: {words}"})
    else:
        ET.SubElement(case, kind, {"type": row.outcome, "message": words}).text = words


def _kind(row: ConditionOutcome) -> str | None:
    if row.outcome is Outcome.PASSED:
        return None
    if row.severity is Severity.WARN:
        return "skipped"
    return "failure" if row.outcome is Outcome.FAILED else "error"


def _clean(text: str) -> str:
    """XML 1.0 has no control characters but tab and newline, and no non-characters, escaped or not."""
    return "".join(
        letter if letter in "\t\n" or _is_xml(ord(letter)) else "\N{REPLACEMENT CHARACTER}" for letter in text
    )


def _is_xml(code: int) -> bool:
    return 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000

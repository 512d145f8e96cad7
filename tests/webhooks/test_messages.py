"""What is sent: signed as the standard's vector says, small, and readable in a chat."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from app.db.identifiers import new_id
from app.domain.events import Event, EventType, shortened
from app.domain.gates.stored import Outcome, Severity
from app.domain.measures import MEASURES
from app.domain.results.meaning import Silence
from app.webhooks.events import audit_succeeded
from app.webhooks.messages import WebhookFormat, message
from app.webhooks.schedule import ATTEMPTS, JITTER, WAITS, after_failure
from app.webhooks.signing import message_id, new_secret, signed_headers
from tests.factories import audit_row

NOW = datetime(2026, 11, 30, 1, 45, tzinfo=UTC)
BODY: dict[str, Any] = {
    "type": "gate.failed",
    "timestamp": NOW.isoformat(),
    "data": {
        "audit_id": "a",
        "name": "release <12> & more",
        "gate_name": "release",
        "verdict": "failed",
        "not_passed": [{"condition": "entropy.spatial.mean <= 0.2", "outcome": "failed", "value": 0.4}],
        "links": {"audit": "/v1/audits/a", "report": "/v1/audits/a/report"},
    },
}


MARKUP = "<https://evil.example|sign in> *bold* [sign in](https://evil.example)"


def named(name: str, **data: Any) -> dict[str, Any]:
    return {**BODY, "data": {**BODY["data"], "name": name, **data}}


def test_a_number_that_is_undefined_is_told() -> None:
    regression = {"number": "entropy", "before": None, "after": 0.25}
    body = named("n", headline={"entropy": None}, says_nothing=[], regressions=[regression], not_passed=[])
    for form in (WebhookFormat.SLACK, WebhookFormat.TEAMS):
        assert "undefined before, 0.250 now" in message(body, form, None)


def test_an_outcome_on_a_number_that_says_nothing() -> None:
    hollow = {"condition": "entropy.spatial.mean <= 1", "outcome": "passed", "says_nothing": ["few-samples"]}
    body = named(
        "n", headline={"entropy": 0.5}, says_nothing=["entropy"], not_passed=[], passed_saying_nothing=[hollow]
    )
    for form in (WebhookFormat.SLACK, WebhookFormat.TEAMS):
        sent = message(body, form, None)
        assert all(told in sent for told in ("passed (says nothing)", "0.500 (says nothing)"))


def test_the_standards_vector() -> None:
    headers = signed_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1614265330, UTC),
        '{"test": 2432232314}',
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_both_secrets_of_a_rotation_verify() -> None:
    secrets, body = [new_secret(), new_secret()], message(BODY, WebhookFormat.STANDARD, None)
    headers = signed_headers(message_id(new_id()), datetime.now(UTC), body, secrets)
    assert "." not in headers["webhook-id"]
    assert all(Webhook(secret).verify(body, headers) == BODY for secret in secrets)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secrets[0]).verify(body.replace("failed", "passed"), headers)


def test_links_are_addresses_where_the_service_knows_its_own() -> None:
    told = json.loads(message(BODY, WebhookFormat.STANDARD, "https://audits.example.com/salience"))
    assert told["data"]["links"]["report"] == "https://audits.example.com/salience/v1/audits/a/report"
    assert list(told) == ["type", "timestamp", "data"]


def test_slack_reads_no_markup_in_names() -> None:
    told = json.loads(message(named(MARKUP), WebhookFormat.SLACK, "https://audits.example.com"))
    links = "<https://audits.example.com/v1/audits/a|audit> · <https://audits.example.com/v1/audits/a/report|report>"
    facts = "• verdict: failed\n• gate: release\n• entropy.spatial.mean <= 0.2: failed"
    assert told["blocks"] == [
        {
            "type": "section",
            "text": {"type": "plain_text", "text": f"gate.failed: {MARKUP}\n{facts}", "emoji": False},
        },
        {"type": "section", "text": {"type": "mrkdwn", "text": links}},
    ]
    assert told["text"].startswith("gate.failed: &lt;https://evil.example|sign in&gt; *bold* [sign in]")
    assert told["text"].endswith(f"• entropy.spatial.mean &lt;= 0.2: failed\n{links}")
    assert "<" not in json.loads(message(BODY, WebhookFormat.SLACK, None))["text"]  # a path is no link


def test_slack_takes_the_longest_message() -> None:
    """It refuses fifty-one blocks, and a text of 3,000 characters."""
    conditions = [{"condition": f"{number} {'x' * 300}", "outcome": "o" * 400} for number in range(100)]
    told = json.loads(message(named("n" * 400, not_passed=conditions), WebhookFormat.SLACK, "https://a.example"))
    assert len(told["blocks"]) <= 50
    assert max(len(block["text"]["text"]) for block in told["blocks"]) < 3000
    assert sum(block["text"]["text"].count("•") for block in told["blocks"]) == 102


def test_teams_gets_an_adaptive_card() -> None:
    told = json.loads(message(BODY, WebhookFormat.TEAMS, "https://audits.example.com"))
    (attachment,) = told["attachments"]
    assert (told["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    card = attachment["content"]
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    lines = ["".join(run["text"] for run in block["inlines"]) for block in card["body"]]
    assert lines[:2] == ["gate.failed: release <12> & more", "verdict: failed"]
    assert {run["type"] for block in card["body"] for run in block["inlines"]} == {"TextRun"}
    assert card["actions"][0]["url"] == "https://audits.example.com/v1/audits/a"


def test_the_largest_message_is_small() -> None:
    """Every measure, a gate of a hundred long conditions, ten thousand models."""
    letter = "\N{GRINNING FACE}"
    audit = audit_row(UUID(int=0), name=letter * 200)
    audit.gate = {
        "gate_id": str(new_id()),
        "name": letter * 200,
        "conditions": [],
        "digest": "",
        "baseline_audit_id": str(new_id()),
    }
    condition: Any = {"condition": letter * 500, "severity": Severity.FAIL, "outcome": Outcome.FAILED, "value": 0.1}
    condition |= {"says_nothing": [*map(str, Silence)]}
    hollow = condition | {"outcome": Outcome.PASSED}
    verdict: Any = {"verdict": Outcome.FAILED, "warnings": 100, "conditions": [condition, hollow] * 50}
    document: Any = {
        "protocol": {"measures": {name: {} for name in MEASURES}},
        "models": [{"model_id": str(new_id()), "name": letter * 200}] * 10_000,
        "sample_count": 10**6,
        "across_models": [],
        "summaries": [],
        "findings": [{"code": "x" * 40, "level": "exposes"}] * 100,
    }
    for event in audit_succeeded(audit, document, verdict):
        sent = message(event.body(NOW), WebhookFormat.STANDARD, "https://audits.example.com")
        assert len(sent.encode()) < 20_000, event.type
    failed = Event(EventType.MODEL_REJECTED, new_id(), {"problem": {"detail": shortened(letter * 10_000)}})
    assert len(message(failed.body(NOW), WebhookFormat.STANDARD, None).encode()) < 20_000


def test_the_schedule() -> None:
    assert [0, *WAITS] == [0, 5, 300, 1800, *(3600 * hours for hours in (2, 5, 10, 14, 20, 24))]
    for attempt, wait in enumerate(WAITS, start=1):
        following = after_failure(attempt, 500, None, NOW)
        assert following.wait_seconds is not None
        assert wait <= following.wait_seconds <= wait * (1 + JITTER)
        assert (following.pause_seconds, following.disabled) == (0, None)
    assert after_failure(ATTEMPTS, None, None, NOW).disabled == "A delivery failed 10 times."


@pytest.mark.parametrize(
    ("status", "retry_after", "pause"),
    [
        (429, "120", 120),
        (503, "120", 120),
        (429, "Mon, 30 Nov 2026 01:47:00 GMT", 120),
        (429, "Mon, 30 Nov 2026 01:40:00 GMT", 5),
        (429, "soon", 5),
        (502, None, 5),
        (504, None, 5),
        (429, "9" * 30, 86_400),
        (500, None, 0),
    ],
)
def test_who_asks_for_less_gets_less(status: int, retry_after: str | None, pause: float) -> None:
    following = after_failure(1, status, retry_after, NOW)
    assert pause <= following.pause_seconds <= pause * (1 + JITTER)
    assert following.wait_seconds is not None
    assert following.wait_seconds >= pause


def test_who_is_gone_gets_nothing_more() -> None:
    following = after_failure(1, 410, "5", NOW + timedelta(0))
    assert (following.wait_seconds, following.disabled) == (None, "The receiver answered 410: it wants nothing more.")

"""The form in which an event is sent: as it is, or as Slack and Teams show it."""

import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from app.domain.events import shortened

MAX_WORDS = 300
"""Characters of a name or a detail in a chat."""
SILENT = " (says nothing)"
"""Behind a number that does not count, and behind what is said of it."""
MAX_SECTION = 2900
"""Characters of a text of Slack's, which refuses a message for 3,000."""


class WebhookFormat(StrEnum):
    """Who reads it."""

    STANDARD = "standard"
    SLACK = "slack"
    TEAMS = "teams"


def message(body: Mapping[str, Any], form: WebhookFormat, public_url: str | None) -> str:
    """The text of the request's body; links begin with ``public_url``, where there is one."""
    told = _with_links(body, public_url)
    if form is WebhookFormat.SLACK:
        return _json(_slack(told))
    return _json(_teams(told) if form is WebhookFormat.TEAMS else told)


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _with_links(body: Mapping[str, Any], public_url: str | None) -> dict[str, Any]:
    data = dict(body["data"])
    if "links" in data:
        data["links"] = {name: f"{public_url or ''}{path}" for name, path in data["links"].items()}
    return {**body, "data": data}


def _title(body: Mapping[str, Any]) -> str:
    """``audit.succeeded: release 12``."""
    data = body["data"]
    named = data.get("name") or data.get("audit_id") or ""
    return f"{body['type']}: {shortened(str(named), MAX_WORDS)}" if named else str(body["type"])


def _facts(data: Mapping[str, Any]) -> dict[str, str]:
    """What is worth a line in a chat, in this order."""
    found: dict[str, str] = {}
    if data.get("verdict"):
        found["verdict"] = str(data["verdict"])
    if data.get("gate_name"):
        found["gate"] = str(data["gate_name"])
    for name, number in (data.get("headline") or {}).items():
        aside = SILENT if name in data["says_nothing"] else ""
        found[name] = f"{_number(number)}{aside if number is not None else ''}"
    if data.get("exposes"):
        found["exposes"] = ", ".join(data["exposes"])
    for one in [*(data.get("not_passed") or ()), *(data.get("passed_saying_nothing") or ())]:
        found[one["condition"]] = f"{one['outcome']}{SILENT if one.get('says_nothing') else ''}"
    for one in data.get("regressions") or ():
        found[one["number"]] = f"{_number(one['before'])} before, {_number(one['after'])} now"
    if data.get("problem"):
        found[data["problem"]["code"]] = data["problem"]["detail"]
    return {name: shortened(value, MAX_WORDS) for name, value in found.items()}


def _number(number: float | None) -> str:
    return "undefined" if number is None else f"{number:.3f}"


def _slack(body: Mapping[str, Any]) -> dict[str, Any]:
    """Of incoming webhooks: names are plain text, in which no markup counts; ``text`` is what a notification shows."""
    told = [_title(body), *(f"• {name}: {value}" for name, value in _facts(body["data"]).items())]
    links = [f"<{_escaped(url)}|{name}>" for name, url in _addresses(body).items()]
    blocks = [_section({"type": "plain_text", "text": text, "emoji": False}) for text in _joined(told)]
    if links:
        blocks.append(_section({"type": "mrkdwn", "text": " · ".join(links)}))
    return {"text": "\n".join([*map(_escaped, told), *([" · ".join(links)] if links else [])]), "blocks": blocks}


def _section(text: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "section", "text": text}


def _joined(lines: Iterable[str]) -> list[str]:
    """As few texts as Slack takes."""
    texts: list[str] = []
    for line in lines:
        if texts and len(texts[-1]) + 1 + len(line) <= MAX_SECTION:
            texts[-1] += f"\n{line}"
        else:
            texts.append(line)
    return texts


def _escaped(text: str) -> str:
    """The three characters that Slack reads as markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _teams(body: Mapping[str, Any]) -> dict[str, Any]:
    """Of a Workflows webhook: one adaptive card, of text runs, since Teams reads markdown in text blocks and facts."""
    facts = [_runs(f"{name}: ", value) for name, value in _facts(body["data"]).items()]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [_runs(_title(body)), *facts],
        "actions": [{"type": "Action.OpenUrl", "title": name, "url": url} for name, url in _addresses(body).items()],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _runs(bold: str, plain: str = "") -> dict[str, Any]:
    """One line."""
    inlines = [{"type": "TextRun", "text": bold, "weight": "Bolder"}]
    inlines += [{"type": "TextRun", "text": plain}] if plain else []
    return {"type": "RichTextBlock", "inlines": inlines}


def _addresses(body: Mapping[str, Any]) -> dict[str, str]:
    """Links that a chat can open: none where the service does not know its own address."""
    return {name: url for name, url in (body["data"].get("links") or {}).items() if "://" in url}

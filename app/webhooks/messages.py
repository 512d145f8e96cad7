"""The form in which an event is sent: as it is, or as Slack and Teams show it."""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from app.domain.events import shortened

MAX_WORDS = 300
"""Characters of a name or a detail in a chat."""


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
        aside = " (says nothing)" if name in data["says_nothing"] else ""
        found[name] = "undefined" if number is None else f"{number:.3f}{aside}"
    if data.get("exposes"):
        found["exposes"] = ", ".join(data["exposes"])
    for one in data.get("not_passed") or ():
        found[one["condition"]] = str(one["outcome"])
    for one in data.get("regressions") or ():
        found[one["number"]] = f"{one['before']:.3f} before, {one['after']:.3f} now"
    if data.get("problem"):
        found[data["problem"]["code"]] = data["problem"]["detail"]
    return {name: shortened(value, MAX_WORDS) for name, value in found.items()}


def _slack(body: Mapping[str, Any]) -> dict[str, Any]:
    """Of incoming webhooks: ``text`` in Slack's own markup."""
    lines = [f"*{_escaped(_title(body))}*"]
    lines += [f"• {_escaped(name)}: {_escaped(value)}" for name, value in _facts(body["data"]).items()]
    links = [f"<{url}|{name}>" for name, url in _addresses(body).items()]
    return {"text": "\n".join([*lines, *([" · ".join(links)] if links else [])])}


def _escaped(text: str) -> str:
    """The three characters that Slack reads as markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _teams(body: Mapping[str, Any]) -> dict[str, Any]:
    """Of a Workflows webhook: one adaptive card."""
    facts = [{"title": name, "value": value} for name, value in _facts(body["data"]).items()]
    title = {"type": "TextBlock", "text": _title(body), "weight": "Bolder", "wrap": True}
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [title, *([{"type": "FactSet", "facts": facts}] if facts else [])],
        "actions": [{"type": "Action.OpenUrl", "title": name, "url": url} for name, url in _addresses(body).items()],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _addresses(body: Mapping[str, Any]) -> dict[str, str]:
    """Links that a chat can open: none where the service does not know its own address."""
    return {name: url for name, url in (body["data"].get("links") or {}).items() if "://" in url}

"""What a CI system shows of an audit: a summary in Markdown, and JUnit XML with a test for each condition."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from app.commands.output import note, write_file
from app.domain.results.headline import headline_rows
from salience_audit import Client
from salience_audit.errors import Json

_MARKUP = re.compile(r"([\\`*_\[\]<>|#&~])")


@dataclass(frozen=True)
class CiFiles:
    """Where they go; written once the audit has ended, whatever its gate says."""

    junit: Annotated[
        Path | None, typer.Option(help="With --wait: write the verdict here as JUnit XML, a test a condition.")
    ] = None
    summary: Annotated[
        Path | None, typer.Option(help="With --wait: add a summary in Markdown to this file ($GITHUB_STEP_SUMMARY).")
    ] = None

    def write(self, client: Client, audit: Json) -> None:
        """Of an audit that has ended. Raises ClientError."""
        if self.summary is not None:
            write_file(self.summary, "\n".join([*summary_of(client, audit), ""]).encode(), append=True)
        if self.junit is None:
            return
        if audit["verdict"] is None:
            note("There is no verdict, so that no JUnit file is written.")
        else:
            write_file(self.junit, client.verdict_as_junit(audit["id"]))


def summary_of(client: Client, audit: Json) -> Iterator[str]:
    """Lines of Markdown; names and conditions cannot add markup of their own."""
    named = _plain(audit["name"] or audit["id"])
    yield f"## Salience audit {named}: {_ended(audit)}"
    yield ""
    if audit["status"] == "succeeded":
        results = client.results(audit["id"])
        yield from _findings(results)
        if audit["conditions"]:
            yield from _conditions(audit)
        yield from _headline(results)
    elif audit["problem"] is not None:
        yield f"`{audit['problem']['code']}`: {_plain(audit['problem']['detail'])}"
        yield ""
    yield f"Audit `{audit['id']}`; report (with a key): {client.address_of(audit['report_url'])}"


def _ended(audit: Json) -> str:
    if audit["verdict"] is None:
        return str(audit["status"])
    return f"gate {_plain(audit['gate']['name'])} {audit['verdict']}"


def _findings(results: Json) -> Iterator[str]:
    exposed = [one for one in results["findings"] if one["level"] == "exposes"]
    yield from (f"- **{one['code']}**: {_plain(one['text'])}" for one in exposed)
    if exposed:
        yield ""


def _conditions(audit: Json) -> Iterator[str]:
    rows = [
        (_plain(one["condition"]), one["outcome"], _number(one["value"]), _plain(one["explanation"]))
        for one in audit["conditions"]
    ]
    yield from _table(("condition", "outcome", "value", "why"), rows)


def _headline(results: Any) -> Iterator[str]:
    rows = [
        (name, _number(row["mean"]), ", ".join(row["says_nothing"])) for name, row in headline_rows(results).items()
    ]
    yield from _table(("number", "mean", "says nothing"), rows)


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(names)} |"
    yield f"| {' | '.join('---' for _ in names)} |"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _plain(text: str) -> str:
    """On one line, without what Markdown or HTML would read as markup."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))

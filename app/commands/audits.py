"""``salience-audit audits``."""

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from app.commands.audit_runs import COLUMNS, AuditName, estimate, run, verdict, watch
from app.commands.audit_samples import maps, samples, views
from app.commands.bundles import with_bundles
from app.commands.connecting import Link
from app.commands.group import EXIT_STATUS, ClientGroup
from app.commands.model_uploads import Limit
from app.commands.named import add_commands
from app.commands.output import write_file
from app.commands.tables import comparison_table, record, results_tables, table, verdict_tables
from app.domain.vocabulary import AuditStatus, ComparisonUnit

audits = typer.Typer(cls=ClientGroup, no_args_is_help=True, epilog=EXIT_STATUS, help="Audits, and what came of them.")

audits.command(epilog=EXIT_STATUS)(run)
audits.command(epilog=EXIT_STATUS)(watch)
audits.command()(estimate)
audits.command(epilog=EXIT_STATUS)(verdict)
audits.command()(samples)
audits.command()(maps)
audits.command()(views)
add_commands(audits, "audits", COLUMNS)


@audits.command("list")
@with_bundles
def show_all(
    link: Link,
    limit: Limit = 50,
    status: Annotated[AuditStatus | None, typer.Option(help="Only these.")] = None,
) -> None:
    """List audits."""
    with link.client() as client:
        found = list(islice(client.audits(status=status), limit))
    link.show(found, table("Audits", found, COLUMNS))


@audits.command()
@with_bundles
def results(audit: AuditName, link: Link) -> None:
    """Show the means of an audit's measures and its verdict; --json prints the whole results document."""
    with link.client() as client:
        audit_id = client.find("audits", audit)
        document, shown = client.results(audit_id), client.audit(audit_id)
    link.show(document, *results_tables(document), *verdict_tables(shown))


@audits.command()
@with_bundles
def report(
    audit: AuditName,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to write the page.")],
    link: Link,
) -> None:
    """Write an audit's report, one HTML page that needs no network; say where a browser finds it for a day."""
    with link.client() as client:
        audit_id = client.find("audits", audit)
        page = client.report(audit_id)
        write_file(output, page)
        address = client.report_link(audit_id)
    written = {"audit_id": audit_id, "file": str(output), "bytes": len(page), "url": address}
    link.show(written, f"{output}: {len(page)} bytes; in a browser until tomorrow:", address)


@audits.command()
@with_bundles
def compare(
    audit: Annotated[list[str], typer.Argument(help="Ids or names of audits of the same samples.", metavar="AUDIT...")],
    link: Link,
    name: Annotated[str | None, typer.Option(help="The comparison's.")] = None,
    by: Annotated[ComparisonUnit, typer.Option(help="What stands on each side.")] = ComparisonUnit.AUDIT,
    report: Annotated[Path | None, typer.Option(help="Write its report here: one HTML page.")] = None,
) -> None:
    """Show paired differences between audits on the same samples."""
    with link.client() as client:
        compared = client.compare([client.find("audits", one) for one in audit], name=name, by=by.value)
        if report is not None:
            write_file(report, client.comparison_report(compared["id"]))
    link.show(compared, comparison_table(compared))


@audits.command()
@with_bundles
def cancel(audit: AuditName, link: Link) -> None:
    """Stop an audit within seconds; one that has ended stays as it is."""
    with link.client() as client:
        cancelled = client.cancel(client.find("audits", audit))
    link.show(cancelled, record(cancelled, COLUMNS))

"""``salience-audit audits samples``, ``maps`` and ``views``: the images behind a mean."""

from itertools import islice
from pathlib import Path
from typing import Annotated, Literal

import typer

from app.commands.audit_runs import AuditName
from app.commands.bundles import with_bundles
from app.commands.connecting import Link
from app.commands.tables import Columns, table
from app.domain.audits.changed_images import Needs
from app.domain.audits.subjects import SEPARATOR
from app.domain.measures import view_title
from salience_audit import Client
from salience_audit.errors import Json, UnreadableFile

SCORES: Columns = {
    "sample": lambda row: row["sample"],
    "sample_id": lambda row: row["sample_id"],
    "label": lambda row: row["label"],
    "source": lambda row: row["source"],
    "model": lambda row: view_title(row["view"]) if row["model"] is None else f"{row['model']}{_method(row)}",
    "measure": lambda row: row["measure"],
    "view": lambda row: row["view"],
    "score": lambda row: row["score"] if row["undefined_reason"] is None else row["undefined_reason"],
    "control": lambda row: row["control"],
    "predicted": lambda row: row["predicted_label"],
}

Measure = Annotated[str | None, typer.Option(help="Only this measure's: entropy, noise_reaction, ...")]
View = Annotated[str | None, typer.Option(help="Only this view's: spatial, noise@0.05, shift_left, ...")]
Worst = Annotated[Literal["asc", "desc", "worst"] | None, typer.Option(help="By score, of one measure and view.")]
Rows = Annotated[int, typer.Option(min=1, help="How many.")]


def _method(row: Json) -> str:
    """Behind the model's name, where the audit has further methods."""
    own = SEPARATOR in row["subject"]
    return f" ({row['subject'].partition(SEPARATOR)[2]})" if own else ""


@with_bundles
def samples(
    audit: AuditName, link: Link, measure: Measure = None, view: View = None, order: Worst = None, limit: Rows = 20
) -> None:
    """Show an audit's scores sample by sample; with --order, the extremes of one measure and view first."""
    with link.client() as client:
        rows = _rows(client, audit, limit, measure=measure, view=view, order=order)
    link.show(rows, table("Scores", rows, SCORES))


@with_bundles
def maps(
    audit: AuditName,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write the pictures to.")],
    link: Link,
    measure: Annotated[str, typer.Option(help="Whose scores choose the samples.")] = "entropy",
    view: Annotated[str, typer.Option(help="Of that measure.")] = "spatial",
    order: Annotated[Literal["asc", "desc", "worst"], typer.Option(help="asc: the lowest scores.")] = "desc",
    limit: Rows = 5,
) -> None:
    """Write the salience maps of the samples with the highest or lowest scores, drawn over the images."""
    with link.client() as client:
        rows = _rows(client, audit, limit, measure=measure, view=view, order=order)
        audit_id = client.find("audits", audit)
        written = [_draw(client, audit_id, row, output, place) for place, row in enumerate(rows, start=1)]
    columns: Columns = {"file": lambda row: row["file"], **SCORES}
    link.show(written, table("Maps", written, columns))


@with_bundles
def views(
    audit: AuditName,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to write the ZIP.")],
    link: Link,
    needs: Annotated[Needs, typer.Option(help="maps: images that follow a subject's clean maps.")] = Needs.IMAGES,
    subject: Annotated[str | None, typer.Option(help="Whose, where they differ: one of the results' subjects.")] = None,
) -> None:
    """Write the changed images that an audit's measures need, for a system that makes its maps elsewhere."""
    with link.client() as client:
        audit_id = client.find("audits", audit)
        try:
            with output.open("wb") as file:
                client.views(audit_id, file, needs=needs.value, subject=subject)
                written = {"audit_id": audit_id, "file": str(output), "bytes": file.tell()}
        except OSError as error:
            raise UnreadableFile("unwritable-file", f"{output} cannot be written: {error.strerror}.") from None
    link.show(written, f"{output}: {written['bytes']} bytes")


def _rows(client: Client, audit: str, limit: int, **wanted: str | None) -> list[Json]:
    found = client.score_rows(client.find("audits", audit), **wanted)
    return list(islice(found, limit))


def _draw(client: Client, audit_id: str, row: Json, folder: Path, place: int) -> Json:
    picture = client.picture(audit_id, row)
    path = folder / f"{place:03}_{row['sample'].replace('/', '_')}.png"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        picture.save(path)
    except OSError as error:
        raise UnreadableFile("unwritable-file", f"{path} cannot be written: {error.strerror}.") from None
    return row | {"file": str(path)}

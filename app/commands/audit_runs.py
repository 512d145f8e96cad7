"""``salience-audit audits run`` and ``watch``: their exit status tells the verdict."""

from dataclasses import dataclass
from typing import Annotated, Literal, cast

import typer

from app.commands.bundles import with_bundles
from app.commands.ci_files import CiFiles
from app.commands.connecting import Link
from app.commands.documents import LABEL_MAP_HELP, label_map_of, protocol_named
from app.commands.group import ExitStatus
from app.commands.output import note, refuse
from app.commands.progress import audit_bar
from app.commands.tables import Columns, record, verdict_tables
from app.domain.vocabulary import DeviceClass
from salience_audit import Client
from salience_audit.client import AuditOptions
from salience_audit.errors import AuditEnded, ClientError, Json
from salience_audit.nouns import Collection

STATUS_OF = {
    None: ExitStatus.DONE,
    "passed": ExitStatus.DONE,
    "failed": ExitStatus.GATE_FAILED,
    "inconclusive": ExitStatus.GATE_INCONCLUSIVE,
}


COLUMNS: Columns = {
    "id": lambda audit: audit["id"],
    "name": lambda audit: audit["name"],
    "status": lambda audit: audit["status"],
    "samples": lambda audit: f"{audit['progress']['done']} of {audit['progress']['total']}",
    "verdict": lambda audit: audit["verdict"],
    "created": lambda audit: audit["created_at"][:19],
}

AuditName = Annotated[str, typer.Argument(help="Its id, or its name: the newest that has it.", metavar="AUDIT")]


@dataclass(frozen=True)
class Wanted:
    """What to measure, and how. Everything may be named by its id or its name."""

    dataset: Annotated[str, typer.Option(help="Id or name of the data set.")]
    model: Annotated[list[str] | None, typer.Option(help="Id or name of a model; several times.")] = None
    run_group: Annotated[str | None, typer.Option(help="Instead of models: id or name of a run group.")] = None
    map_set: Annotated[
        list[str] | None, typer.Option(help="Id or name of a map set, beside models or alone; several times.")
    ] = None
    name: Annotated[str | None, typer.Option(help="The audit's.")] = None
    protocol: Annotated[str | None, typer.Option(help="A JSON file, or the name of a preset.")] = None
    gate: Annotated[str | None, typer.Option(help="Id or name of the gate that judges it.")] = None
    baseline: Annotated[str | None, typer.Option(help="Id or name of the audit that the gate compares with.")] = None
    sample_limit: Annotated[int | None, typer.Option(min=1, help="So many samples, by a seeded draw.")] = None
    split: Annotated[str | None, typer.Option(help="Only samples of this split, such as test.")] = None
    stratify: Annotated[str | None, typer.Option(help="Draw from each label, or source, by its share.")] = None
    group_by: Annotated[list[str] | None, typer.Option(help="A column of the manifest to group by; several times.")] = (
        None
    )
    cluster: Annotated[str | None, typer.Option(help="The column whose values intervals draw together.")] = None
    label_map: Annotated[str | None, typer.Option(help=LABEL_MAP_HELP)] = None
    device_class: Annotated[DeviceClass | None, typer.Option(help="Where it runs.")] = None

    def start(self, client: Client) -> Json:
        """Raises ClientError."""
        dataset_id, options = self.request(client)
        return client.run_audit(dataset_id, **options)

    def request(self, client: Client) -> tuple[str, AuditOptions]:
        """The data set's id, and the rest of what ``POST /v1/audits`` takes. Raises ClientError, BadParameter."""
        kinds = bool(self.model) + (self.run_group is not None)
        if kinds > 1 or not (kinds or self.map_set):
            raise typer.BadParameter(
                "Name models or a run group: --model (several times), or --run-group; or map sets alone: --map-set."
            )
        options = AuditOptions(
            model_ids=[client.find("models", one) for one in self.model] if self.model else None,
            run_group_id=_id(client, "run-groups", self.run_group),
            map_set_ids=[client.find("map-sets", one) for one in self.map_set] if self.map_set else None,
            protocol=None if self.protocol is None else protocol_named(client, self.protocol),
            name=self.name,
            sample_limit=self.sample_limit,
            split=self.split,
            stratify=cast("Literal['label', 'source'] | None", self.stratify),
            group_by=self.group_by or None,
            cluster=self.cluster,
            label_map=label_map_of(self.label_map),
            gate_id=_id(client, "gates", self.gate),
            baseline_audit_id=_id(client, "audits", self.baseline),
            device_class=None if self.device_class is None else self.device_class.value,
        )
        return client.find("datasets", self.dataset), options


@with_bundles
def run(
    wanted: Wanted,
    link: Link,
    files: CiFiles,
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Until it ends; the exit status tells the verdict.")] = False,
) -> None:
    """Start an audit; with --wait, watch it and exit by what its gate says."""
    with link.client() as client:
        audit = wanted.start(client)
        for told in audit["notes"]:
            note(told)
        if wait:
            _watch(client, audit["id"], link, files)
    if not wait:
        link.show(audit, record(audit, COLUMNS))


@with_bundles
def watch(audit: AuditName, link: Link, files: CiFiles) -> None:
    """Watch an audit until it ends, and exit by what its gate says."""
    with link.client() as client:
        _watch(client, client.find("audits", audit), link, files)


ESTIMATE: Columns = {
    "samples": lambda estimate: estimate["samples"],
    "shards": lambda estimate: estimate["shards"],
    "seconds": lambda estimate: estimate["seconds"],
    "bytes": lambda estimate: estimate["bytes"],
}


@with_bundles
def estimate(wanted: Wanted, link: Link) -> None:
    """Say what an audit would take, without starting it."""
    with link.client() as client:
        dataset_id, options = wanted.request(client)
        found = client.estimate(dataset_id, **options)
    link.show(found, record(found, {name: make for name, make in ESTIMATE.items() if name in found}))


@with_bundles
def verdict(audit: AuditName, link: Link) -> None:
    """Show what an audit's gate says, condition by condition, and exit by it."""
    with link.client() as client:
        said = client.verdict(client.find("audits", audit))
    if silent := said.get("says_nothing"):  # a service of before tells none
        note(f"Headline numbers that say nothing: {', '.join(silent)} (`audits results` says why).")
    link.show(said, *verdict_tables(said))
    raise typer.Exit(STATUS_OF[said["verdict"]])


def _watch(client: Client, audit_id: str, link: Link, files: CiFiles) -> None:
    try:
        with audit_bar(audit_id) as show:
            audit = client.wait(audit_id, show)
    except AuditEnded as end:
        files.write(client, end.resource)
        raise
    except KeyboardInterrupt:
        advice = f"`salience-audit audits watch {audit_id}` watches it again, `audits cancel` stops it."
        refuse(ClientError("interrupted", f"Audit {audit_id} goes on: {advice}"), as_json=link.as_json)
        raise typer.Exit(ExitStatus.INTERRUPTED) from None
    files.write(client, audit)
    link.show(audit, record(audit, COLUMNS), *verdict_tables(audit))
    raise typer.Exit(STATUS_OF[audit["verdict"]])


def _id(client: Client, collection: Collection, reference: str | None) -> str | None:
    return None if reference is None else client.find(collection, reference)

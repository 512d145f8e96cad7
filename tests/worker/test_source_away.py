"""A bucket that is away: a short outage is waited out; one that lasts ends audits and looks into data sets."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import boto3
import pytest
from prepare import build_archive
from sqlalchemy import func, update

from app.access.vault import Vault
from app.db.identifiers import new_id
from app.db.session import transaction
from app.db.tables import ConnectionRow, DatasetImportRow, DatasetRow, ShardRow
from app.domain.vocabulary import AuditStatus, ResourceStatus
from app.errors import TransientFailure
from app.imports.importer import Importer
from app.imports.nouns import DATASETS
from tests.factories import dataset_row
from tests.storage.stores import Bucket, make_bucket
from tests.worker.test_replanning import claim, finish, read_audit, submit
from tests.worker.workplace import Ids
from worker.intake.datasets import index_dataset
from worker.lifecycle.context import WorkerContext
from worker.shards.runner import run_claimed

NOWHERE = "http://127.0.0.1:9"
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    """Six images of the example, and a table of their labels."""
    with pytest.MonkeyPatch.context() as patch, make_bucket(patch) as made:
        client = boto3.client("s3", endpoint_url=made.endpoint, region_name="us-east-1")
        with zipfile.ZipFile(io.BytesIO(build_archive())) as archive:
            names = sorted(name for name in archive.namelist() if not name.endswith("/"))[::20][:6]
            for name in names:
                client.put_object(Bucket=made.name, Key=f"images/{name}", Body=archive.read(name), ACL="public-read")
        table = "path,label\n" + "".join(f"{name},{name.partition('/')[0]}\n" for name in names)
        client.put_object(Bucket=made.name, Key="images/manifest.csv", Body=table.encode(), ACL="public-read")
        yield made


@pytest.fixture
def context(at_work: WorkerContext, monkeypatch: pytest.MonkeyPatch) -> WorkerContext:
    monkeypatch.setattr("app.sources.reading.PAUSES", (0.01, 0.01))
    allowed = {"allowed_networks": frozenset({"127.0.0.1/32"})}
    return replace(at_work, settings=at_work.settings.model_copy(update=allowed))


@pytest.fixture
def listed(context: WorkerContext, bucket: Bucket) -> DatasetRow:
    """Not yet indexed."""
    connection_id, uri = new_id(), f"s3://{bucket.name}/images"
    dataset = dataset_row(status=ResourceStatus.FETCHING, source={"uri": uri, "by_reference": True})
    with transaction(context.engine) as session:
        session.add(ConnectionRow(id=connection_id, name="b", kind="s3", url=bucket.endpoint, auth_kind="none"))
        session.add(dataset)
        session.flush()
        named = {"dataset_id": dataset.id, "connection_id": connection_id}
        session.add(DatasetImportRow(**named, uri=uri, by_reference=True))
    importer = Importer(DATASETS, context.engine, Vault(None), context.blobs, context.queue, context.settings)
    held = importer.claim(frozenset())
    assert held is not None
    importer.work(held)
    return dataset


def move(context: WorkerContext, url: str) -> None:
    with transaction(context.engine) as session:
        session.execute(update(ConnectionRow).values(url=url))


def read_dataset(context: WorkerContext, dataset_id: UUID) -> DatasetRow:
    with transaction(context.engine) as session:
        return session.get_one(DatasetRow, dataset_id)


def test_a_short_outage_costs_no_attempt_and_changes_no_score(
    context: WorkerContext, bucket: Bucket, listed: DatasetRow, ids: Ids
) -> None:
    index_dataset(context, listed.id)
    parts = (listed.id, ids[1])
    audit_id, shards = submit(context, parts, 4)
    move(context, NOWHERE)
    for tries in (1, 2):
        with pytest.raises(TransientFailure):
            run_claimed(context, claim(context, shards[0]))
        with transaction(context.engine) as session:
            shard = session.get_one(ShardRow, shards[0])
            pause = (shard.lease_expires_at or shard.updated_at) - session.scalar(func.clock_timestamp().select())
            assert (shard.source_tries, shard.attempt, shard.status) == (tries, 0, "queued")
            assert 2**tries - 2 < pause.total_seconds() <= 2**tries
            shard.lease_expires_at = None  # as if it had passed
    assert read_audit(context, audit_id).status == AuditStatus.RUNNING
    move(context, bucket.endpoint)
    expected = finish(context, *submit(context, parts, 4))
    assert finish(context, audit_id, shards) == expected


def test_an_audit_waits_for_a_day_and_no_longer(
    context: WorkerContext, bucket: Bucket, listed: DatasetRow, ids: Ids
) -> None:
    index_dataset(context, listed.id)
    audit_id, shards = submit(context, (listed.id, ids[1]), 4)
    move(context, NOWHERE)
    with transaction(context.engine) as session:
        ago = func.clock_timestamp() - DAY
        session.execute(update(ShardRow).where(ShardRow.id == shards[1]).values(source_away_since=ago, source_tries=1))
    with pytest.raises(TransientFailure):
        run_claimed(context, claim(context, shards[1]))  # the second try: a queue may have been long
    with transaction(context.engine) as session:
        session.execute(update(ShardRow).values(lease_expires_at=None))
    run_claimed(context, claim(context, shards[1]))
    audit = read_audit(context, audit_id)
    detail = str((audit.problem or {})["detail"])
    assert (audit.status, (audit.problem or {})["code"]) == (AuditStatus.FAILED, "source-unavailable")
    for said in (
        f"s3://{bucket.name}/images (connection 'b')",
        "3 tries",
        "address-unreachable",
        "SOURCE_WAIT_SECONDS",
    ):
        assert said in detail


def test_so_does_the_look_into_a_data_set(context: WorkerContext, bucket: Bucket, listed: DatasetRow) -> None:
    impatient = replace(context, settings=context.settings.model_copy(update={"source_wait_seconds": 0}))
    move(context, NOWHERE)
    for _ in range(2):
        with pytest.raises(TransientFailure):
            index_dataset(impatient, listed.id)
    assert read_dataset(context, listed.id).status == ResourceStatus.VALIDATING
    index_dataset(impatient, listed.id)
    found = read_dataset(context, listed.id)
    assert (found.status, (found.problem or {})["code"]) == (ResourceStatus.REJECTED, "source-unavailable")
    assert "manifest.csv" in str((found.problem or {})["detail"])

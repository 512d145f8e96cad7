"""What an archive of changed images takes of a tenant's bytes, how long it is kept, and that it is not forgotten."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine, select, text, update

from app.access.quotas import used_bytes
from app.db.identifiers import new_id
from app.db.references import unused_digests
from app.db.session import transaction
from app.db.tables import AuditRow, ViewArchiveRow
from app.domain.audits.changed_images import Needs
from app.domain.vocabulary import OwedStatus, ResourceStatus
from app.housekeeping.reconciler import _stale_documents
from app.housekeeping.retention import remove_view_archives
from app.queue import TaskName
from tests.factories import audit_row, dataset_row

DIGEST = f"sha256:{'a' * 64}"
WAIT = timedelta(seconds=15)


@pytest.fixture
def archive_id(engine: Engine) -> UUID:
    """Asked for a minute ago."""
    with transaction(engine) as session:
        session.add(dataset := dataset_row(status=ResourceStatus.READY, content_digest="d", content_size=1000))
        session.flush()
        session.add(audit := audit_row(dataset.id, sample_count=1))
        session.flush()
        row = ViewArchiveRow(id=new_id(), audit_id=audit.id, model_ordinal=0, needs=Needs.IMAGES, size=300)
        row.updated_at = text("now() - interval '1 minute'")  # type: ignore[assignment]
        session.add(row)
    return row.id


def change(engine: Engine, **values: object) -> None:
    with transaction(engine) as session:
        session.execute(update(ViewArchiveRow).values(values))


def test_it_counts_among_the_bytes_of_its_tenant(engine: Engine, archive_id: UUID) -> None:
    """From the moment on that it is asked for."""
    with transaction(engine) as session:
        assert used_bytes(session) == 1300
    change(engine, stored_digest=DIGEST, size=200, status=OwedStatus.SUCCEEDED)
    with transaction(engine) as session:
        assert used_bytes(session) == 1200
        assert unused_digests(session, {DIGEST}) == set()


def test_it_goes_with_its_days_and_with_its_audit(engine: Engine, archive_id: UUID) -> None:
    change(engine, stored_digest=DIGEST, finished_at=text("now() - interval '2 days'"))
    assert remove_view_archives(engine, timedelta(days=3)) == 0
    assert remove_view_archives(engine, timedelta(days=1)) == 1
    with transaction(engine) as session:
        audit = session.scalars(select(AuditRow)).one()
        session.add(ViewArchiveRow(id=new_id(), audit_id=audit.id, model_ordinal=0, needs=Needs.MAPS, size=1))
        session.flush()
        session.delete(audit)
    with transaction(engine) as session:
        assert session.scalars(select(ViewArchiveRow)).all() == []
        assert unused_digests(session, {DIGEST}) == {DIGEST}


def test_a_worker_is_reminded_of_what_nobody_is_at(engine: Engine, archive_id: UUID) -> None:
    def reminded() -> list[UUID]:
        with transaction(engine) as session:
            return [found for _, found in _stale_documents(session, ViewArchiveRow, TaskName.ARCHIVE_VIEWS, WAIT)]

    assert reminded() == [archive_id]
    assert reminded() == []
    long_ago = text("now() - interval '1 minute'")
    change(engine, updated_at=long_ago, lease_expires_at=text("now() + interval '1 minute'"))
    assert reminded() == []
    change(engine, updated_at=long_ago, lease_expires_at=long_ago)
    assert reminded() == [archive_id]

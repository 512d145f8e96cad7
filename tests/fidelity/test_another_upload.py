"""What becomes of a reference that is sent again."""

import pytest

from app.db.tables import ModelRow
from app.models.service import accept_reference
from app.storage.writing import StoredBlob

FOUND = {"status": "verified"}
LOST = {"status": "unverified", "problem": {"code": "model-crashed-worker", "detail": "It was lost."}}


@pytest.mark.parametrize(
    ("sent", "fidelity", "is_new"),
    [("sha256:1", FOUND, False), ("sha256:1", None, False), ("sha256:1", LOST, True), ("sha256:2", FOUND, True)],
)
def test_it_is_looked_at_again_where_it_may_say_more(sent: str, fidelity: object, is_new: bool) -> None:  # noqa: FBT001
    row = ModelRow(reference_digest="sha256:1", reference_size=10, fidelity=fidelity)
    assert accept_reference(row, StoredBlob(sent, 10)) is is_new
    assert row.fidelity == (None if is_new else fidelity)
    assert row.reference_digest == sent

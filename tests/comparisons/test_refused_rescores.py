"""Which stored maps are read and compared again and which are refused, from rows as audits leave them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.transform import resize_local_mean
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.audits.rescoring.service import request_rescore
from app.db.session import make_engine
from app.db.tables import AuditModelRow, AuditRow, SampleScoresRow
from app.domain.maps.similarities import Similarity
from app.domain.protocol import ProtocolRequest
from app.domain.vocabulary import AuditStatus, ResourceStatus, UndefinedReason
from app.embedded.postgres import EmbeddedPostgres
from app.errors import Conflict, Gone, Unprocessable
from app.results.score_tables import labels_and_sources
from benchmarks.similarities import PEERS
from tests.databases import new_database
from tests.factories import audit_row, dataset_row, model_row, sample_row
from worker.results.rescored_document import rescored_document
from worker.results.stored_maps import MapOwner, read_lists
from worker.shards.store import read_inputs

Json = dict[str, Any]
SAMPLES = 3


@pytest.fixture(scope="module")
def engine(postgres: EmbeddedPostgres) -> Iterator[Engine]:
    with new_database(postgres) as url:
        engine = make_engine(url)
        yield engine
        engine.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """What is made in it is never committed."""
    with Session(engine) as session:
        yield session


def maps_of(side: int) -> NDArray[np.float32]:
    """Clean and noisy ones (N, 2, side, side)."""
    return np.random.default_rng(side).random((SAMPLES, 2, side, side), np.float32)


def audited(session: Session, maps: NDArray[np.float32] | None, method: str = "gradcam") -> AuditRow:
    """An audit of noise reaction that kept these maps."""
    asked = {"salience": {"method": method}, "measures": {"noise_reaction": {"curve": []}}}
    protocol = ProtocolRequest.model_validate(asked).resolve()
    session.add(dataset := dataset_row(status=ResourceStatus.READY, digest="sha256:d"))
    session.add(model := model_row(status=ResourceStatus.READY))
    session.flush()
    audit = audit_row(dataset.id, sample_count=SAMPLES, status=AuditStatus.SUCCEEDED, protocol=protocol.to_json())
    session.add(audit)
    session.flush()
    session.add(AuditModelRow(audit_id=audit.id, ordinal=0, model_id=model.id))
    for ordinal in range(SAMPLES):
        name = f"{ordinal}.png"
        sample = sample_row(dataset.id, position=ordinal, name=name, label=f"l{ordinal}", source=f"s{ordinal}")
        session.add(sample)
        session.flush()
        kept = {} if maps is None else {"maps": maps[ordinal].tobytes(), "map_height": maps.shape[2]}
        place = {"audit_id": audit.id, "model_ordinal": 0, "ordinal": ordinal, "sample_id": sample.id}
        width = {} if maps is None else {"map_width": maps.shape[3]}
        session.add(SampleScoresRow(**place, **kept, **width, scores=[0.5], predicted=[0, 0], class_scores=[0.5, 0.5]))
    session.flush()
    return audit


def test_only_the_wanted_maps_are_read_in_the_wanted_order(session: Session) -> None:
    """Of samples apart from each other, whose maps differ in size, lack or show nothing."""
    maps = np.random.default_rng(1).random((SAMPLES, 5, 6, 6), np.float32)
    maps[0, 1] = 0
    audit = audited(session, maps)
    oblong = np.random.default_rng(2).random((5, 3, 9), np.float32)
    scores = [session.get_one(SampleScoresRow, (audit.id, 0, ordinal)) for ordinal in range(SAMPLES)]
    scores[2].maps, scores[2].map_height, scores[2].map_width = oblong.tobytes(), 3, 9
    session.flush()
    wanted = (4, 0, 1)
    found = read_lists(session, MapOwner(audit.id, 0, np.array([0, 2])), wanted)
    for one, place in zip(found, wanted, strict=True):
        assert [values.tolist() for values in one.maps] == [maps[0, place].tolist(), oblong[place].tolist()]
        assert one.reasons == (UndefinedReason.CONSTANT_MAP if place == 1 else None, None)
    scores[2].maps = None
    session.flush()
    [clean] = read_lists(session, MapOwner(audit.id, 0, np.arange(SAMPLES)), (0,))
    assert clean.reasons == (None, None, UndefinedReason.NO_MAP)


def test_labels_and_sources_are_in_sample_order(session: Session) -> None:
    audit = audited(session, maps_of(7))
    assert labels_and_sources(session, audit) == (("l0", "l1", "l2"), ("s0", "s1", "s2"))


def refusal(session: Session, audit: AuditRow, similarity: Similarity) -> str:
    with pytest.raises((Conflict, Gone, Unprocessable)) as refused:
        request_rescore(session, audit, similarity)
    return refused.value.code


def test_maps_that_are_not_there(session: Session) -> None:
    assert refusal(session, audited(session, None), Similarity.CC) == "maps-not-kept"
    removed = audited(session, maps_of(7))
    removed.maps_removed_at = datetime.now(UTC)
    assert refusal(session, removed, Similarity.CC) == "maps-removed"


def test_maps_that_are_no_native_ones(session: Session) -> None:
    """As large as the image."""
    assert refusal(session, audited(session, maps_of(96), "fullgrad"), Similarity.CC) == "maps-not-native"


def test_maps_smaller_than_a_window(session: Session) -> None:
    small = audited(session, maps_of(4))
    assert refusal(session, small, Similarity.SSIM) == "maps-too-small"
    assert request_rescore(session, small, Similarity.CC).similarity == Similarity.CC


def test_maps_too_large_for_emd_are_brought_down(session: Session) -> None:
    """14 x 14 cells to 10 x 10, by scikit-image's mean over areas; the transport by SciPy's linear program."""
    maps = maps_of(14)
    audit = audited(session, maps)
    assert request_rescore(session, audit, Similarity.EMD).similarity == Similarity.EMD
    found = rescored_document(session, read_inputs(session, audit.id), Similarity.EMD)
    small = [[resize_local_mean(one, (10, 10)).astype(np.float32) for one in own] for own in maps]
    expected = np.mean([PEERS[Similarity.EMD][1](*own) for own in small])
    [row] = [row for row in found["summaries"] if row["group"] == "micro"]
    assert row["mean"] == pytest.approx(expected, abs=1e-5)
    [note] = found["notes"]
    assert note.startswith("EMD compares up to 100 cells: maps of 14 x 14 were brought down to 10 x 10")
    assert rescored_document(session, read_inputs(session, audit.id), Similarity.CC)["notes"] == []

"""A graph has no random twin: refused where it was asked for by name, said where a preset asks for it."""

from uuid import uuid4

import pytest

from app.audits.planning.twins import have_twins, notes_on_twins
from app.db.tables import ModelRow
from app.domain.protocol import ProtocolRequest
from app.domain.vocabulary import ModelFormat
from app.errors import Unprocessable

GRAPH = ModelRow(id=uuid4(), name="graph", format=ModelFormat.ONNX)
WEIGHTS = ModelRow(id=uuid4(), name="weights", format=ModelFormat.SAFETENSORS)


def test_by_name_it_is_refused_with_a_way_out() -> None:
    with pytest.raises(Unprocessable, match=f"these models are graphs: {GRAPH.id}. Leave sanity out") as caught:
        have_twins([WEIGHTS, GRAPH], is_asked_for=True)
    assert caught.value.code == "sanity-needs-weights"
    assert have_twins([WEIGHTS], is_asked_for=True)


def test_of_a_preset_it_is_left_out_and_a_note_says_so() -> None:
    asked = ProtocolRequest(preset="investigate").resolve()
    assert not have_twins([WEIGHTS, GRAPH], is_asked_for=False)
    [note] = notes_on_twins(asked, asked.without("sanity"), [WEIGHTS, GRAPH])
    assert note.startswith("No random twin: the weights of an ONNX graph are within it")
    assert "(graph)" in note
    assert notes_on_twins(asked, asked, [WEIGHTS]) == []

"""How many classes a model has, whatever an earlier version wrote down of it."""

import pytest

from app.errors import Conflict
from app.results.inputs import class_count
from tests.factories import model_row


@pytest.mark.parametrize("names", [None, ["a", "b", "c"]])
def test_what_the_probe_found(names: list[str] | None) -> None:
    assert class_count(model_row(probe={"classes": 3}, class_names=names)) == 3


@pytest.mark.parametrize("probe", [None, {}, {"candidate_layers": []}])
def test_names_count_where_the_probe_did_not(probe: dict[str, object] | None) -> None:
    assert class_count(model_row(probe=probe, class_names=["face", "other"])) == 2


@pytest.mark.parametrize("probe", [None, {"candidate_layers": []}])
def test_a_model_without_either_is_refused_by_its_name(probe: dict[str, object] | None) -> None:
    model = model_row(probe=probe, class_names=None, name="plain")
    with pytest.raises(Conflict, match=f"model-not-probed: .* plain .*{model.id}.*upload") as refused:
        class_count(model)
    assert refused.value.code == "model-not-probed"

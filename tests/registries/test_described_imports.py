"""What files beside the weights say of a model: what counts, what is asked for, what is told and not used."""

import pytest
from pydantic import ValidationError

from app.db.tables import ModelRow
from app.domain.vocabulary import Origin
from app.models.imported import check_found, described_import
from app.models.missing import missing_of
from app.models.requests import ModelChange
from app.registries.model_card import with_verdict
from tests.registries.repository import CONFIG


@pytest.mark.parametrize("left_out", [["mean"], ["mean", "std"], ["input_size"]])
def test_a_config_that_lacks_fields_is_completed(left_out: list[str]) -> None:
    """Not refused: what it says of the preprocessing counts once somebody says the rest."""
    config = CONFIG | {
        "pretrained_cfg": {name: value for name, value in CONFIG["pretrained_cfg"].items() if name not in left_out}
    }
    found = [(Origin.CONFIG, {"config": config}), (Origin.ARTIFACT, {"format": "safetensors"})]
    model, origins = described_import({}, found)
    assert (model.preprocessing, model.architecture) == (None, "timm/resnet18")
    row = ModelRow(architecture="timm/resnet18", format="safetensors", preprocessing={}, description=origins)
    assert missing_of(row) == [f"preprocessing.{name}" for name in left_out]
    assert origins["preprocessing.interpolation"] == {"value": "bicubic", "from": "config.json"}
    every = {"input_size": 224, "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]}
    said = {name: every[name] for name in left_out}
    assert ModelChange.model_validate({"preprocessing": said}).given == {"preprocessing": said}
    with pytest.raises(ValidationError, match="nonsense"):
        ModelChange.model_validate({"preprocessing": {"nonsense": 1}})
    model, origins = described_import({"preprocessing": said}, found)
    assert model.preprocessing is not None
    assert (model.preprocessing.input_size, model.preprocessing.interpolation) == (224, "bicubic")
    assert origins["preprocessing.interpolation"]["from"] == "config.json"


def test_what_a_file_names_and_nobody_uses_is_told() -> None:
    """A model's own file does not choose what it is audited on."""
    told = {"class_names": ["a", "b"], "dataset": "faces", "policy": "every version", "name": "n"}
    _, described = described_import({}, [(Origin.SALIENCE_JSON, check_found(told))])
    assert described["class_names"] == {"value": ["a", "b"], "from": "salience.json"}
    for name, value in (("dataset", "faces"), ("policy", "every version")):
        assert (described[name]["value"], described[name]["from"]) == (value, "salience.json")
        assert described[name]["note"].startswith("Not used")


def test_the_cards_section_is_replaced() -> None:
    once = with_verdict("---\nlicense: mit\n---\n# Faces", {"salience.verdict": "failed"})
    again = with_verdict(f"{once}\nMore words.\n", {"salience.verdict": "passed |<b>"})
    assert again.startswith("---\nlicense: mit\n---\n# Faces\n\n<!-- salience-audit: begin -->")
    assert again.endswith("| salience.verdict | passed   b  |\n<!-- salience-audit: end -->\n\nMore words.\n")
    assert with_verdict("", {}).startswith("<!-- salience-audit: begin -->")

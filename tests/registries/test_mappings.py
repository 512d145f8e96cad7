"""Kinds without a form of their own: what bodies say as their senders document them."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from app.hooks.events import Ignored, RegistryEvent, VersionEvent
from app.hooks.mapping import EventMapping
from tests.registries.mapped import OF_AZURE, OF_SAGEMAKER, OF_WANDB, PAYLOAD, approved, told
from tests.registries.recorded_events import AZURE, SAGEMAKER, WANDB


def test_a_model_package_of_sagemaker() -> None:
    """Approved, it is where its event says; as the documents print it, it was rejected."""
    assert told(OF_SAGEMAKER, SAGEMAKER) == Ignored("At /detail/ModelApprovalStatus it has no Approved.")
    place = SAGEMAKER["detail"]["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    name = "versionedmp-p-idy6c3e1fiqj"
    expected = RegistryEvent(VersionEvent.CREATED, name, "2", source=place)
    assert told(OF_SAGEMAKER, approved(place)) == expected


def test_a_version_of_azure_has_its_tags() -> None:
    tags = {"area": "diabetes", "type": "regression"}
    expected = RegistryEvent(VersionEvent.CREATED, "sklearn_regression_model", "20", tags)
    assert told(OF_AZURE, AZURE) == expected
    odd = {"area": 7, "nested": {"a": "b"}, "flag": True, "none": None}
    found = told(OF_AZURE, AZURE | {"data": AZURE["data"] | {"ModelTags": odd}})
    assert isinstance(found, RegistryEvent)
    assert found.tags == {"area": "7"}
    for none in (None, ["area"], "area"):
        assert told(OF_AZURE, AZURE | {"data": AZURE["data"] | {"ModelTags": none}}) == RegistryEvent(
            VersionEvent.CREATED, "sklearn_regression_model", "20"
        )


def test_an_alias_of_wandb_is_one_and_a_version_without_is_new() -> None:
    place, version = "s3://faces-models/runs/8f3a/", "acme/model-registry/faces:v3"
    expected = RegistryEvent(VersionEvent.ALIAS_SET, "faces", version, {}, "audit", place)
    assert told(OF_WANDB, WANDB) == expected
    new = WANDB | {"alias": "", "tags": {"tag": "candidate"}}
    expected = RegistryEvent(VersionEvent.CREATED, "faces", version, {"tag": "candidate"}, source=place)
    assert told(OF_WANDB, new) == expected
    assert WANDB.keys() == PAYLOAD.keys()
    assert WANDB["tags"].keys() == PAYLOAD["tags"].keys()


BUCKET = "s3://sagemaker-project-p-idy6c3e1fiqj"
UNFETCHED = "It names no version that could be fetched."
BESIDE = f"At /detail/InferenceSpecification/Containers/0/ModelDataUrl it has no address below {BUCKET}/."


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        (None, BESIDE),
        (7, BESIDE),
        ("", BESIDE),
        ("s3://another-bucket/output/model.tar.gz", BESIDE),
        (BUCKET, BESIDE),
        (f"{BUCKET}.evil/model.tar.gz", BESIDE),
        (f"{BUCKET}/../another-bucket/model.tar.gz", UNFETCHED),
        (f"{BUCKET}/{'a' * 600}", UNFETCHED),
        ("https://sagemaker-project-p-idy6c3e1fiqj/model.tar.gz", BESIDE),
        ("models:/faces/1", BESIDE),
        ("file:///etc", BESIDE),
    ],
)
def test_a_body_names_files_below_what_the_mapping_says(place: Any, reason: str) -> None:
    assert told(OF_SAGEMAKER, approved(place)) == Ignored(reason)


OF_ANOTHER_TYPE = "At /type it has no *ModelRegistered."
UNNAMED = "It has no name and version at /data/ModelName and /data/ModelVersion."


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (json.dumps(AZURE | {"type": "Microsoft.MachineLearningServices.RunCompleted"}).encode(), OF_ANOTHER_TYPE),
        (json.dumps(AZURE | {"data": {}}).encode(), UNNAMED),
        (json.dumps(AZURE | {"data": {"ModelName": {"a": 1}, "ModelVersion": "1"}}).encode(), UNNAMED),
        (json.dumps(AZURE | {"data": {"ModelName": "faces", "ModelVersion": True}}).encode(), UNNAMED),
        (json.dumps(AZURE | {"data": {"ModelName": "../faces", "ModelVersion": "1/2"}}).encode(), UNFETCHED),
        (b"[" * 100_000, OF_ANOTHER_TYPE),
        (b"no JSON", OF_ANOTHER_TYPE),
        (b"null", OF_ANOTHER_TYPE),
        (b"", OF_ANOTHER_TYPE),
    ],
)
def test_what_names_none_is_ignored_and_says_why(body: bytes, reason: str) -> None:
    assert OF_AZURE.event(body) == Ignored(reason)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "data"},
        {"name": "/~2"},
        {"alias": "alias"},
        {"tags": "tags"},
        {"header": "no header"},
        {"only": {"x": "y"}},
        {"template": "{{x}}"},
        {"source": "/source"},
        {"below": "s3://bucket/"},
        {"source": "/source", "below": "s3://"},
        {"source": "/source", "below": "s3://bucket"},
        {"source": "/source", "below": "file:///srv/"},
        {"source": "/source", "below": "models:/faces/"},
    ],
)
def test_a_mapping_names_places_and_nothing_else(changes: Any) -> None:
    with pytest.raises(ValidationError):
        EventMapping.model_validate({"name": "/a", "version": "/b"} | changes)

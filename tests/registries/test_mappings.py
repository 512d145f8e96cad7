"""Kinds without a form of their own: what proves a delivery, and what bodies say as their senders document them."""

import base64
import hashlib
import hmac
import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.bindings.http import to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from pydantic import ValidationError

from app.hooks.events import Ignored, RegistryEvent, VersionEvent
from app.hooks.kinds import Delivered, arrived
from app.hooks.mapping import EventMapping, Proof
from app.hooks.schemas import HookKind
from tests.commands.guides import ROOT
from tests.registries.recorded_events import AZURE, SAGEMAKER, WANDB

SECRET = "sixteen characters"
NOW = datetime(2026, 11, 30, tzinfo=UTC)

_DOCUMENTED = [
    json.loads(text)
    for text in re.findall(
        r"`(\{\"(?:name|model)\": .*?\})`", (ROOT / "docs" / "registries.md").read_text(encoding="utf-8")
    )
    if "${" in text or '"/' in text
]
"""What docs/registries.md tells people to use: W&B's payload, and a mapping for each sender."""
PAYLOAD = _DOCUMENTED[0]
OF_WANDB, OF_SAGEMAKER, OF_AZURE = (EventMapping.model_validate(one) for one in _DOCUMENTED[1:])
OF_SAGEMAKER = OF_SAGEMAKER.model_copy(update={"below": "s3://sagemaker-project-p-idy6c3e1fiqj/"})
OF_AZURE = OF_AZURE.model_copy(update={"proof": Proof.HMAC})


def signature(body: bytes, secret: str = SECRET) -> bytes:
    return hmac.digest(secret.encode(), body, hashlib.sha256)


def come(kind: HookKind, mapping: EventMapping, body: bytes, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return arrived(kind, mapping, SECRET, Delivered(named, body, NOW))


def told(mapping: EventMapping, body: Any) -> RegistryEvent | Ignored:
    return mapping.event(json.dumps(body).encode())


def test_a_model_package_of_sagemaker() -> None:
    """Approved, it is where its event says; as the documents print it, it was rejected."""
    assert told(OF_SAGEMAKER, SAGEMAKER) == Ignored("At /detail/ModelApprovalStatus it has no Approved.")
    place = SAGEMAKER["detail"]["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    name = "versionedmp-p-idy6c3e1fiqj"
    expected = RegistryEvent(VersionEvent.CREATED, name, "2", source=place)
    assert told(OF_SAGEMAKER, approved(place)) == expected


def approved(place: Any) -> Any:
    """The package, with its files there."""
    containers = {"InferenceSpecification": {"Containers": [{"ModelDataUrl": place}]}}
    return SAGEMAKER | {"detail": SAGEMAKER["detail"] | containers | {"ModelApprovalStatus": "Approved"}}


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


@pytest.mark.parametrize(
    "place",
    [
        None,
        7,
        "",
        "s3://another-bucket/output/model.tar.gz",
        "s3://sagemaker-project-p-idy6c3e1fiqj",
        "s3://sagemaker-project-p-idy6c3e1fiqj.evil/model.tar.gz",
        "s3://sagemaker-project-p-idy6c3e1fiqj/../another-bucket/model.tar.gz",
        "s3://sagemaker-project-p-idy6c3e1fiqj/" + "a" * 600,
        "https://sagemaker-project-p-idy6c3e1fiqj/model.tar.gz",
        "models:/faces/1",
        "file:///etc",
    ],
)
def test_a_body_names_files_below_what_the_mapping_says(place: Any) -> None:
    found = told(OF_SAGEMAKER, approved(place))
    assert isinstance(found, Ignored)
    assert found.reason


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(AZURE | {"type": "Microsoft.MachineLearningServices.RunCompleted"}).encode(),
        json.dumps(AZURE | {"data": {}}).encode(),
        json.dumps(AZURE | {"data": {"ModelName": {"a": 1}, "ModelVersion": "1"}}).encode(),
        json.dumps(AZURE | {"data": {"ModelName": "faces", "ModelVersion": True}}).encode(),
        json.dumps(AZURE | {"data": {"ModelName": "../faces", "ModelVersion": "1/2"}}).encode(),
        b"[" * 100_000,
        b"no JSON",
        b"null",
        b"",
    ],
)
def test_what_names_none_is_ignored_and_says_why(body: bytes) -> None:
    told = OF_AZURE.event(body)
    assert isinstance(told, Ignored)
    assert told.reason


@pytest.mark.parametrize("written", ["hex", "sha256=hex", "base64", "v1,base64"])
def test_a_good_signature_however_it_is_written(written: str) -> None:
    body = json.dumps(WANDB).encode()
    forms = {"hex": signature(body).hex(), "base64": base64.b64encode(signature(body)).decode()}
    form = written.rpartition("=")[2].rpartition(",")[2]
    found = come(HookKind.GENERIC, OF_WANDB, body, x_wandb_signature=written.replace(form, forms[form]))
    assert [(one.event, one.body) for one in found] == [("generic", body)]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x_wandb_signature": ""},
        {"x_wandb_signature": "sha256="},
        {"x_wandb_signature": "zz" * 32},
        {"x_wandb_signature": signature(b"another").hex()},
        {"x_wandb_signature": signature(json.dumps(WANDB).encode(), "another secret").hex()},
        {"authorization": f"Bearer {SECRET}"},
    ],
)
def test_what_is_not_proved(headers: dict[str, str]) -> None:
    assert come(HookKind.GENERIC, OF_WANDB, json.dumps(WANDB).encode(), **headers) is None


def test_a_bearer_proves_where_the_mapping_says_so() -> None:
    body = json.dumps(SAGEMAKER).encode()
    first = come(HookKind.GENERIC, OF_SAGEMAKER, body, authorization=f"Bearer {SECRET}")
    again = come(HookKind.GENERIC, OF_SAGEMAKER, body, authorization=f"Bearer {SECRET}")
    assert first[0].key == again[0].key  # EventBridge repeats
    for wrong in ("", SECRET, f"bearer {SECRET}", f"Bearer {SECRET}x"):
        assert come(HookKind.GENERIC, OF_SAGEMAKER, body, authorization=wrong) is None


def cloud_event(number: int) -> CloudEvent:
    named = {"id": f"e{number}", "source": AZURE["source"], "type": AZURE["type"], "specversion": "1.0"}
    return CloudEvent(attributes=named, data=AZURE["data"] | {"ModelVersion": str(number)})


def test_cloud_events_in_all_three_modes() -> None:
    """As the project's own package writes them."""
    kind, structured = HookKind.CLOUDEVENTS, to_structured(cloud_event(20), JSONFormat())
    binary = to_binary(cloud_event(20), JSONFormat())
    batch = json.dumps([json.loads(to_structured(cloud_event(n), JSONFormat()).body) for n in (20, 21)]).encode()
    found = [
        come(kind, OF_AZURE, body, **{**headers, "x_signature_256": signature(body).hex()})
        for body, headers in (
            (structured.body, structured.headers),
            (binary.body, {name.replace("-", "_"): value for name, value in binary.headers.items()}),
            (batch, {"content_type": "application/cloudevents-batch+json; charset=utf-8"}),
        )
    ]
    keys = [[one.key for one in several] for several in found]
    assert (keys[0], len(keys[2])) == (keys[1], 2)
    assert keys[2][0] == keys[0][0]
    versions = [[OF_AZURE.event(one.body) for one in several] for several in found]
    named = [[event.version for event in several if isinstance(event, RegistryEvent)] for several in versions]
    assert named == [["20"], ["20"], ["20", "21"]]


@pytest.mark.parametrize("body", [b"", b"no JSON", b"[]", b"{}", b'{"specversion": "1.0", "id": 1}', b"[" * 100_000])
def test_what_is_no_cloud_event_is_kept_and_ignored(body: bytes) -> None:
    """Whoever proves who they are is answered 2xx; why nothing followed stands in the list."""
    for content_type in ("application/cloudevents+json", "application/cloudevents-batch+json", "text/plain"):
        headers = {"content_type": content_type, "x_signature_256": signature(body).hex()}
        (kept,) = come(HookKind.CLOUDEVENTS, OF_AZURE, body, **headers)
        assert isinstance(OF_AZURE.event(kept.body), Ignored)


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


def test_what_a_header_encodes_names_no_version() -> None:
    """CloudEvents' own package decodes ``%00``, which no database takes."""
    message = to_binary(cloud_event(20), JSONFormat())
    named = {**message.headers, "ce-subject": "faces%00", "ce-type": "t%00"}
    mapping = OF_AZURE.model_copy(update={"name": "/subject", "only": {}, "proof": Proof.BEARER})
    headers = {name.replace("-", "_"): value for name, value in named.items()}
    (found,) = come(HookKind.CLOUDEVENTS, mapping, message.body, authorization=f"Bearer {SECRET}", **headers)
    assert found.event == "unknown"
    assert b"\\u0000" in found.body
    assert isinstance(mapping.event(found.body), Ignored)

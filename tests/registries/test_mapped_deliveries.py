"""Deliveries of kinds without a form of their own: what proves them, and how CloudEvents are read."""

import base64
import json

import pytest
from cloudevents.core.bindings.http import to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from app.hooks.events import Ignored, RegistryEvent
from app.hooks.mapping import Proof
from app.hooks.schemas import HookKind
from tests.registries.mapped import OF_AZURE, OF_SAGEMAKER, OF_WANDB, SECRET, come, signature
from tests.registries.recorded_events import AZURE, SAGEMAKER, WANDB


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

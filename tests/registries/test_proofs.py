"""What MLflow signs, and what its events say."""

from datetime import UTC, datetime, timedelta

import pytest

from app.hooks.events import Ignored, RegistryEvent, VersionEvent, mlflow_event
from app.hooks.proofs import mlflow_delivery_id, mlflow_signature
from tests.registries.signing import created, delivery

SECRET = "s3cret-s3cret"
DELIVERY = "1b36465f-00f7-4ce9-9334-7fdc29b3f67e"
TIMESTAMP = "1795407281"
SIGNATURE = "v1,dzb1cFqQLXq8qtlz8weyJkOu3TIedImas2i5YAzI0B4="
BODY = (
    b'{"entity": "model_version", "action": "created", "timestamp": "2026-11-23T04:14:41.248379+00:00", "data": '
    b'{"name": "resnet", "version": "1", "source": "runs:/e0aa9e71f6014926a1386c91f3582bc4/model", '
    b'"run_id": "e0aa9e71f6014926a1386c91f3582bc4", "tags": {"a": "b"}, "description": "d"}}'
)
"""Of a real server's."""
SENT = datetime.fromtimestamp(int(TIMESTAMP), UTC)
HEADERS = {"x-mlflow-delivery-id": DELIVERY, "x-mlflow-timestamp": TIMESTAMP, "x-mlflow-signature": SIGNATURE}


def test_the_signature_is_mlflows() -> None:
    assert len(BODY) == 285
    assert mlflow_signature(SECRET, DELIVERY, TIMESTAMP, BODY) == SIGNATURE
    assert mlflow_delivery_id(HEADERS, BODY, SECRET, SENT + timedelta(minutes=14)) == DELIVERY


@pytest.mark.parametrize(
    ("changed", "body", "secret", "minutes"),
    [
        ({}, BODY + b" ", SECRET, 0),
        ({}, BODY, "another secret", 0),
        ({}, BODY, SECRET, 16),
        ({}, BODY, SECRET, -16),
        ({"x-mlflow-signature": ""}, BODY, SECRET, 0),
        ({"x-mlflow-signature": SIGNATURE.removeprefix("v1,")}, BODY, SECRET, 0),
        ({"x-mlflow-timestamp": str(int(TIMESTAMP) + 1)}, BODY, SECRET, 0),
        ({"x-mlflow-timestamp": "9" * 40}, BODY, SECRET, 0),
        ({"x-mlflow-delivery-id": "other"}, BODY, SECRET, 0),
    ],
)
def test_what_is_not_proved(changed: dict[str, str], body: bytes, secret: str, minutes: int) -> None:
    assert mlflow_delivery_id(HEADERS | changed, body, secret, SENT + timedelta(minutes=minutes)) is None


def test_events_are_read() -> None:
    assert mlflow_event(BODY) == RegistryEvent(VersionEvent.CREATED, "resnet", "1", {"a": "b"})
    alias = mlflow_event(delivery("model_version_alias", "created", name="a", alias="champion", version="3"))
    assert alias == RegistryEvent(VersionEvent.ALIAS_SET, "a", "3", {}, "champion")


@pytest.mark.parametrize(
    "body",
    [
        delivery("model_version_tag", "set", name="a", version="1", key="salience.verdict", value="passed"),
        delivery("model_version", "created", name="example_model", version="1", run_id="abcd1234abcd5678"),
        delivery("registered_model", "created", name="a"),
        delivery("model_version", "created", name="a"),
        created("a", "../../7"),
        created("a/b"),
        created("a\0b"),
        created("a\ud800"),
        delivery("model_version_alias", "created", name="a\nb", alias="champion", version="3"),
        created("a").replace(b'"a"', b"7"),
        b"[]",
        b"{}",
        b'{"entity": {}, "action": []}',
    ],
)
def test_events_from_which_nothing_follows(body: bytes) -> None:
    assert isinstance(mlflow_event(body), Ignored)

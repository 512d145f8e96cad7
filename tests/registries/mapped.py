"""The mappings that the documents tell people to use, and deliveries that they read."""

import hashlib
import hmac
import json
import re
from datetime import UTC, datetime
from typing import Any

from app.hooks.events import Ignored, RegistryEvent
from app.hooks.kinds import Delivered, arrived
from app.hooks.mapping import EventMapping, Proof
from app.hooks.schemas import HookKind
from tests.commands.guides import ROOT
from tests.registries.recorded_events import SAGEMAKER

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


def approved(place: Any) -> Any:
    """The package, with its files there."""
    containers = {"InferenceSpecification": {"Containers": [{"ModelDataUrl": place}]}}
    return SAGEMAKER | {"detail": SAGEMAKER["detail"] | containers | {"ModelApprovalStatus": "Approved"}}

"""What audits that are compared were not made alike with: small differences of their scores may come from there."""

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

MACHINE = ("processor", "driver", "cudnn", "tf32")
"""What the software of results says of the machine, and is no version of a package."""
DEVICE_CLASS = "device_class"
_UNKNOWN = "unknown"


class DifferingOrigin(TypedDict):
    """One thing that differs, and how it was for each audit that says so."""

    name: Annotated[
        str,
        Field(description="As in the results' `software` (`processor`, `driver`, `torch`, ...), or `device_class`."),
    ]
    values: Annotated[dict[str, str], Field(description="By audit.")]


def differing_origins(
    software: Mapping[str, Mapping[str, str]], device_classes: Mapping[str, str]
) -> Iterator[DifferingOrigin]:
    """Of audits by id: the software of their results, and the class of their device."""
    for name in sorted({name for versions in software.values() for name in versions}):
        # Audits of earlier versions do not say what they ran on, and a CPU has no driver.
        asked = [audit_id for audit_id, versions in software.items() if name in versions or name not in MACHINE]
        values = {audit_id: software[audit_id].get(name, _UNKNOWN) for audit_id in asked}
        if len(set(values.values())) > 1:
            yield {"name": name, "values": values}
    if len(set(device_classes.values())) > 1:
        yield {"name": DEVICE_CLASS, "values": dict(device_classes)}

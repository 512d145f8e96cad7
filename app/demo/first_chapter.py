"""The first chapter: two networks, both right on the same pictures; one reads the face, the other a planted tag.

The tag was planted by us in 97 of 100 faces (examples/shortcuts/tagged_pictures.py); how the networks were trained says
examples/shortcuts/tagged_faces.py.
"""

from typing import Any, Final

from rich.console import Console

from app.demo.steps import SHORTCUTS, Chapter, compared, pushed, scripts, watched
from salience_audit import Client
from salience_audit.documents import Audit

NETWORKS = ("reads_the_face", "reads_the_tag")
GATE = ("findings.exposes == 0",)
SAMPLES = 60
PLANTED = (
    "We planted a tag in the lower right corner of 97 of the 100 faces, and in nothing else. One network was shown "
    "labels drawn by lot, with the tag in whatever was called a face; the other faces and non-faces, half of both with "
    "the tag."
)
PROTOCOL: Final[dict[str, Any]] = {
    "preset": "investigate",
    "measures": {
        "entropy": {},
        "noise_reaction": {"curve": []},
        "geometric_resilience": {},
        "degradation": {},
        "equivariance": {"cells": [1]},
        "sufficiency": {"shares": [0.02, 0.2]},
        "sanity": {},
    },
}
"""Every measure of the preset that a single network has, with fewer views of each: half a minute on two cores."""


def tell_apart(client: Client, console: Console, samples: int, protocol: dict[str, Any]) -> Chapter:
    """Audit both networks, judged by their findings alone."""
    about = {"description": PLANTED}
    pictures = client.push_dataset(_archive(), name="Faces with a tag, non-faces without", description=about)
    gate = client.create_gate("no shortcut", GATE)
    audits: dict[str, Audit] = {}
    for name in NETWORKS:
        model = pushed(client, SHORTCUTS / "weights" / f"{name}.safetensors")
        audit = client.run_audit(
            pictures["id"],
            model_ids=[model["id"]],
            name=name,
            gate_id=gate["id"],
            sample_limit=samples,
            protocol=protocol,
        )
        audits[name] = watched(client, audit, name, console)
    return compared(client, audits)


def told(chapter: Chapter) -> list[str]:
    """How the tag came there; accuracy and verdict of each network, and what exposes it."""
    lines = [f"Two networks, the same pictures, nearly the same accuracy. {PLANTED}"]
    for name, results in chapter.results.items():
        accuracy = next(row["accuracy"] for row in results["performance"] if row["condition"] == "clean")
        lines.append(f"  {name}: accuracy {accuracy:.3f}, gate no shortcut {chapter.audits[name]['verdict']}")
        lines += [f"    {row['text']}" for row in results["findings"] if row["level"] == "exposes"]
    return lines


def _archive() -> bytes:
    scripts(SHORTCUTS)
    from tagged_pictures import build_archive  # noqa: PLC0415 - a script of the examples

    archive: bytes = build_archive()
    return archive

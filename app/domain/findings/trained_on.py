"""Samples that a model may have been trained on, so that numbers on them say little of others."""

from collections.abc import Iterator

from app.domain.results.documents import ResultsDocument
from app.domain.results.findings import Finding, Level


def trained_on(document: ResultsDocument) -> Iterator[Finding]:
    """Of the training images among the audited samples, and of images that look like one; results from before they
    were counted have neither."""
    counted = document.get("training_images")
    if not counted:
        return
    audited, training = counted["audited"], counted["of_training_splits"]
    if training:
        yield Finding(
            code="training-images",
            level=Level.NOTE,
            text=f"{training} of the {audited} samples are training images: numbers on images that a model was trained "
            "on say little of others. Ask for a split, such as test.",
            evidence={**counted},
        )
    if counted["like_training_images"]:
        yield Finding(
            code="test-repeats-training",
            level=Level.NOTE,
            text=f"{counted['like_training_images']} of the {audited - training} samples of other splits look like a "
            "training image (near-duplicates by perceptual hash): they are no test of what a model makes of others.",
            evidence={**counted},
        )

"""Ninety networks of timm, torchvision and transformers: layer, layout, and one map against autograd by hand."""

import pytest

from benchmarks.layout_networks import Subject, subjects


@pytest.mark.long
@pytest.mark.parametrize("subject", subjects(), ids=lambda subject: subject.label)
def test_a_map_of_the_default_layer_is_that_of_autograd(subject: Subject) -> None:
    from benchmarks.layouts import look

    found = look(subject)
    assert not found.is_wrong, found.line

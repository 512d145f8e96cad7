"""Normalisation against torchvision's own arithmetic, compiled and by torch."""

import numpy as np
import pytest
import torch
from skimage.data import astronaut, coffee
from torchvision.transforms.functional import normalize as torchvision_normalize

from worker.functional import normalization

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@pytest.mark.parametrize("compiled", [True, False])
def test_agrees_with_torchvision(monkeypatch: pytest.MonkeyPatch, *, compiled: bool) -> None:
    if not compiled:
        monkeypatch.setattr(normalization, "native", None)
    pictures = np.stack([astronaut()[:200, :301], coffee()[:200, :301]])
    images = torch.from_numpy(pictures).permute(0, 3, 1, 2)
    found = normalization.normalize(images, normalization.normalization_table(MEAN, STD))
    assert found.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(found, torchvision_normalize(images.float() / 255, list(MEAN), list(STD)))

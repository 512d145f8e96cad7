"""CAM methods on hand-computed pairs and against pytorch-grad-cam's own arithmetic."""

import numpy as np
import pytest
import pytorch_grad_cam as library
import torch
from torch import Tensor, nn

from app.domain.vocabulary import CamMethod
from worker.salience import CAM_METHODS
from worker.salience.methods import eigencam, gradcam, hirescam, layercam

LIBRARY = {
    CamMethod.GRADCAM: library.GradCAM,
    CamMethod.GRADCAM_PLUS_PLUS: library.GradCAMPlusPlus,
    CamMethod.HIRESCAM: library.HiResCAM,
    CamMethod.XGRADCAM: library.XGradCAM,
    CamMethod.LAYERCAM: library.LayerCAM,
    CamMethod.EIGENCAM: library.EigenCAM,
}


def make_pair() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(7)
    activation = torch.randn(4, 12, 7, 5, generator=generator).relu()
    gradient = torch.randn(4, 12, 7, 5, generator=generator) / 10
    gradient[:, 0] = 0
    return activation, gradient


@pytest.mark.parametrize("method", LIBRARY)
def test_same_as_the_library(method: CamMethod) -> None:
    activation, gradient = make_pair()
    layer = nn.Conv2d(1, 1, 1)
    with LIBRARY[method](layer, [layer]) as cam:
        raw = cam.get_cam_image(activation, layer, [], activation.numpy(), gradient.numpy(), eigen_smooth=False)
    found = CAM_METHODS[method](activation, gradient).numpy()
    scale = np.abs(raw).max()
    if method is CamMethod.EIGENCAM:
        # A singular vector has no sign: the library takes what its solver gives.
        raw = np.stack(
            [max(one, -one, key=lambda map_: (map_ * ours).sum()) for one, ours in zip(raw, found, strict=True)]
        )
    assert np.abs(np.maximum(raw, 0) - found).max() / scale < 2e-6


@pytest.mark.parametrize("method", CAM_METHODS)
def test_batch_equals_the_stack_of_singles(method: CamMethod) -> None:
    activation, gradient = make_pair()
    singles = [CAM_METHODS[method](activation[n : n + 1], gradient[n : n + 1]) for n in range(4)]
    torch.testing.assert_close(CAM_METHODS[method](activation, gradient), torch.cat(singles), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("method", CAM_METHODS)
def test_nothing_active_gives_an_all_zero_map(method: CamMethod) -> None:
    nothing = torch.zeros(2, 3, 4, 4)
    assert torch.equal(CAM_METHODS[method](nothing, nothing), torch.zeros(2, 4, 4))


def test_eigencam_has_the_same_bits_whatever_the_threads() -> None:
    activation = torch.randn(4, 512, 7, 7, generator=torch.Generator().manual_seed(3)).relu()
    threads = torch.get_num_threads()
    found = []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            found.append(eigencam(activation, activation))
            assert torch.get_num_threads() == count
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(*found)


def test_by_hand() -> None:
    activation = torch.tensor([[[[1.0, 2.0]], [[3.0, 0.0]]]])
    gradient = torch.tensor([[[[1.0, -2.0]], [[1.0, 3.0]]]])
    # Mean gradients are -0.5 and 2: -0.5 * 1 + 2 * 3 = 5.5 and -0.5 * 2 + 2 * 0 = -1.
    assert gradcam(activation, gradient).tolist() == [[[5.5, 0.0]]]
    assert hirescam(activation, gradient).tolist() == [[[4.0, 0.0]]]
    assert layercam(activation, gradient).tolist() == [[[4.0, 0.0]]]


def test_eigencam_sign_goes_with_the_mean_activation() -> None:
    activation = torch.zeros(1, 3, 2, 2)
    activation[0, :, 0, 0] = torch.tensor([5.0, 6.0, 7.0])
    assert int(eigencam(activation, activation).argmax()) == 0


@pytest.mark.parametrize("method", CAM_METHODS)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("shape", [(12, 7, 7), (10, 7, 7), (512, 7, 7), (33, 5, 9), (64, 14, 14)])
def test_a_map_has_the_same_bits_wherever_its_image_lies_in_the_batch(
    method: CamMethod, layout: torch.memory_format, shape: tuple[int, int, int]
) -> None:
    generator = torch.Generator().manual_seed(11)
    activation = torch.randn(16, *shape, generator=generator).relu().contiguous(memory_format=layout)
    gradient = (torch.randn(16, *shape, generator=generator) / 10).contiguous(memory_format=layout)
    maps = CAM_METHODS[method](activation, gradient)
    for places in (1, 3, 8):
        elsewhere = CAM_METHODS[method](activation.roll(places, 0), gradient.roll(places, 0))
        assert torch.equal(elsewhere.roll(-places, 0), maps)

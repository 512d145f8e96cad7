"""Class activation maps from one pair (activation, gradient): the definitions of pytorch-grad-cam, in batches.

Every function takes ``activation`` and ``gradient`` (N, K, h, w) float and returns raw maps (N, h, w), after ReLU
but for ``cam``.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor


def gradcam(activation: Tensor, gradient: Tensor) -> Tensor:
    """Selvaraju et al. 2017: channels weighted by their mean gradient."""
    return weighted(activation, gradient.mean((2, 3)))


def cam(activation: Tensor, gradient: Tensor) -> Tensor:
    """Zhou et al. 2016: channels weighted by the linear layer behind the pooling, which the gradient is up to a factor.

    Negative parts stay, as in the paper: the lowest cell becomes zero, not all that speaks against the class.
    """
    return (activation * gradient.mean((2, 3), keepdim=True)).sum(1)


def gradcam_plus_plus(activation: Tensor, gradient: Tensor) -> Tensor:
    """Chattopadhay et al. 2018, eq. 19, with exponential scores."""
    squared = gradient**2
    denominator = 2 * squared + activation.sum((2, 3), keepdim=True) * squared * gradient + 1e-6
    shares = torch.where(gradient != 0, squared / denominator, 0)
    return weighted(activation, (gradient.relu() * shares).sum((2, 3)))


def xgradcam(activation: Tensor, gradient: Tensor) -> Tensor:
    """Fu et al. 2020: gradients weighted by the activation's own distribution."""
    totals = activation.sum((2, 3)) + 1e-7
    return weighted(activation, (gradient * activation).sum((2, 3)) / totals)


def hirescam(activation: Tensor, gradient: Tensor) -> Tensor:
    """Draelos and Carin 2020: element by element."""
    return (activation * gradient).sum(1).relu()


def layercam(activation: Tensor, gradient: Tensor) -> Tensor:
    """Jiang et al. 2021: element by element, positive gradients alone."""
    return (activation * gradient.relu()).sum(1).relu()


def eigencam(activation: Tensor, gradient: Tensor) -> Tensor:
    """Muhammad and Yeasin 2020: the first principal component of the activation; the gradient plays no part.

    Taken from the (h * w, h * w) Gram matrix. A singular vector has no sign; it is the one that goes with the mean
    activation.
    """
    del gradient
    cells = activation.flatten(2).mT.double()
    centred = cells - cells.mean(1, keepdim=True)
    gram = centred @ centred.mT
    with _one_thread():
        # On the CPU: CUDA's batched eigh takes longer on matrices this small than the transfer.
        values, vectors = (found.to(gram.device) for found in torch.linalg.eigh(gram.cpu()))
    component = vectors[:, :, -1] * values[:, -1:].clamp(min=0).sqrt()
    sign = (component * centred.mean(2)).sum(1, keepdim=True).sign()
    maps: Tensor = (component * torch.where(sign == 0, 1, sign)).relu()
    return maps.view(len(maps), *activation.shape[2:]).to(activation.dtype)


@contextmanager
def _one_thread() -> Iterator[None]:
    """A decomposition this small takes as long on two threads, a hundred times as long where another process has one of
    the cores, and its last bits would depend on their number.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def weighted(activation: Tensor, weights: Tensor) -> Tensor:
    """ReLU of the sum over channels under weights (N, K).

    A matrix product takes longer, or has other last bits where the image lies elsewhere in its batch.
    """
    return (activation * weights[:, :, None, None]).sum(1).relu()

"""Weights that were taken apart for training, put together again as torch's hooks do at every forward pass."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from worker.weights.lazy import Computed, LazyTensor

Named = dict[str, Callable[[], LazyTensor]]


def by_norm(length: Tensor, direction: Tensor) -> Tensor:
    """``weight_norm``: g v / ||v||, the norm over all dimensions but that in which g is as long as v."""
    if length.dim() == 0:
        return torch._weight_norm(direction, length, -1)  # noqa: SLF001 - what torch's own hook calls
    long = [place for place, size in enumerate(length.shape) if size != 1]
    return torch._weight_norm(direction, length, long[0] if long else 0)  # noqa: SLF001


def by_spectrum(weight: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """``spectral_norm`` in eval mode: W / (u . W v), with W as a matrix of as many rows as u is long."""
    dim = next(place for place, size in enumerate(weight.shape) if size == left.numel())
    rows = weight.permute(dim, *(place for place in range(weight.dim()) if place != dim)).flatten(1)
    return weight / torch.dot(left, torch.mv(rows, right))


def masked(weight: Tensor, mask: Tensor) -> Tensor:
    """Of ``torch.nn.utils.prune``."""
    return weight * mask


@dataclass(frozen=True)
class _Form:
    """``parts`` are what stands for a weight in the file; the first of them betrays the form."""

    tool: str
    parts: tuple[str, ...]
    whole: Callable[..., Tensor]
    shaped_like: int

    def stem(self, name: str) -> tuple[str, str] | None:
        """The module and the name of the weight that a part belongs to."""
        pattern = re.escape(self.parts[0]).replace(re.escape("{}"), r"([^.]+)")
        found = re.fullmatch(rf"((?:.*\.)?){pattern}", name)
        return None if found is None else (found[1], found[2])


_NEW = "parametrizations.{}"
FORMS = (
    _Form("weight_norm", ("{}_g", "{}_v"), by_norm, 1),
    _Form("weight_norm", (f"{_NEW}.original0", f"{_NEW}.original1"), by_norm, 1),
    _Form("spectral_norm", ("{}_u", "{}_orig", "{}_v"), lambda left, *rest: by_spectrum(rest[0], left, rest[1]), 1),
    _Form("spectral_norm", (f"{_NEW}.original", f"{_NEW}.0._u", f"{_NEW}.0._v"), by_spectrum, 0),
    _Form("pruning", ("{}_mask", "{}_orig"), lambda mask, weight: masked(weight, mask), 1),
)


def folded(tensors: Named) -> tuple[Named, dict[str, int]]:
    """The tensors with every weight whole again, and how many each tool had taken apart."""
    whole, counts = dict(tensors), dict[str, int]()
    for form in FORMS:
        for name in [name for name in whole if form.stem(name)]:
            module, weight = form.stem(name) or ("", "")
            parts = [module + part.format(weight) for part in form.parts]
            if module + weight in whole or not all(part in whole for part in parts):
                continue
            sources = tuple(whole.pop(part) for part in parts)
            whole[module + weight] = partial(_computed, form, sources)
            counts[form.tool] = counts.get(form.tool, 0) + 1
    return whole, counts


def _computed(form: _Form, sources: tuple[Callable[[], LazyTensor], ...]) -> LazyTensor:
    parts = tuple(source() for source in sources)
    like = parts[form.shaped_like]
    return Computed(parts, lambda *read: form.whole(*(tensor.float() for tensor in read)), like.shape, torch.float32)

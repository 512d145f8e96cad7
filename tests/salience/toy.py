"""A network so small that its maps are computed by hand."""

import torch
from torch import Tensor, nn


class Toy(nn.Module):
    """Two channels, pooled by a function, two classes."""

    def __init__(self, *, softmax: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 1, bias=False)
        self.relu = nn.ReLU(inplace=True)
        self.head = nn.Linear(2, 2, bias=False)
        self.softmax = softmax
        self.fails = False
        with torch.no_grad():
            self.conv.weight.copy_(torch.tensor([[1.0, 0, 0], [0, 1.0, 0]]).view(2, 3, 1, 1))
            self.head.weight.copy_(torch.tensor([[1.0, 2.0], [3.0, -4.0]]))

    def forward(self, images: Tensor) -> Tensor:
        pooled = self.relu(self.conv(images)).mean((2, 3))
        if self.fails:
            raise RuntimeError("broken midway")
        logits: Tensor = self.head(pooled)
        return logits.softmax(1) if self.softmax else logits


def toy_images(count: int = 2) -> Tensor:
    return torch.randn(count, 3, 4, 4, generator=torch.Generator().manual_seed(3))

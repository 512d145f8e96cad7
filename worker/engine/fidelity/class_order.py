"""Whether the classes stand in another order than the owner's code has them."""

from typing import NamedTuple

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from app.domain.models.fidelity import Compared
from app.domain.vocabulary import OutputKind
from worker.engine.fidelity.agreement import Owned, in_their_form

MOST_CLASSES = 1000


class Reordered(NamedTuple):
    """``logits`` (N, K) as another order of the classes makes them; class ``order[i]`` here is the owner's class i."""

    logits: Tensor
    order: list[int]


def reordered(owned: Owned, logits: Tensor) -> Reordered | None:
    """In the order that comes closest to the owner's; None where no other order does.

    One logit for two classes has its sign the other way round where they are swapped.
    """
    if owned.output.kind is OutputKind.BINARY:
        return Reordered(-logits, [1, 0])
    count = logits.shape[1]
    if owned.output.kind is OutputKind.MULTILABEL or not 2 <= count <= MOST_CLASSES:
        return None
    costs = _costs_of_outputs(owned, logits) if owned.compared is not Compared.CLASSES else _costs(owned, logits)
    rows, columns = linear_sum_assignment(costs.numpy())
    order = [int(columns[place]) for place in rows.argsort()]
    return None if order == list(range(count)) else Reordered(logits[:, order], order)


def _costs_of_outputs(owned: Owned, logits: Tensor) -> Tensor:
    """(K, K): how far each of the owner's outputs is from each made here."""
    given = ~owned.outputs.isnan().any(1)
    ours, theirs = in_their_form(logits, owned.output, owned.compared)[given], owned.outputs[given]
    return torch.cdist(theirs.T, ours.T, p=1)


def _costs(owned: Owned, logits: Tensor) -> Tensor:
    """(K, K): minus how often an image of the owner's class is of each class here; where equal, none is moved."""
    count = logits.shape[1]
    table = torch.zeros(count, count, dtype=torch.float64)
    for theirs, ours in zip(owned.decisions[:, 0].tolist(), logits.argmax(1).tolist(), strict=True):
        table[theirs, ours] += 1
    return -table - 0.5 * torch.eye(count, dtype=torch.float64)

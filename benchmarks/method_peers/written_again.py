"""Peers that were written again elsewhere: from outputs alone, from an objective, from attention that is handed out."""

from copy import deepcopy
from typing import Any

import numpy as np
import torch
import transformers
from torch import Tensor

from app.domain.models.input_size import Size
from app.domain.vocabulary import CamMethod
from benchmarks.method_peers.held import DRAWS, RISE_MASKS, SIZE, VIT, VIT_CONFIG, Held
from benchmarks.perturbation_peer import mask_deleted
from benchmarks.rise_peer import their_map, their_masks
from worker.salience import meaningful_perturbation
from worker.salience.rise import Drawn


def rollout(held: Held) -> Tensor:
    config = VIT_CONFIG(**VIT, num_labels=2, attn_implementation="eager")
    theirs: Any = transformers.ViTForImageClassification(config)
    theirs.eval().load_state_dict(held.module.state_dict())
    with torch.no_grad():
        attentions = theirs(held.images, output_attentions=True).attentions
    total = torch.eye(attentions[0].shape[-1], dtype=torch.float64)
    for attention in attentions:
        total = (attention.double().mean(1) + torch.eye(len(total[-1]), dtype=torch.float64)) / 2 @ total
    side = int((total.shape[-1] - 1) ** 0.5)
    return total[:, 0, 1:].view(-1, side, side).float()


def rise(held: Held) -> Tensor:
    size = Size(SIZE, SIZE)
    maps = []
    for place, (image, chosen) in enumerate(zip(held.images, held.classes.tolist(), strict=True)):
        masks = their_masks(Drawn.of(DRAWS.stream(place, CamMethod.RISE), RISE_MASKS, size), size)
        maps.append(their_map(held.module, masks, image, chosen))
    return torch.from_numpy(np.stack(maps))


def perturbation(held: Held) -> Tensor:
    network = deepcopy(held.module).double()
    maps = []
    for place, (image, chosen) in enumerate(zip(held.images, held.classes.tolist(), strict=True)):
        stream = DRAWS.stream(place, CamMethod.MEANINGFUL_PERTURBATION)
        moves = stream.integers(0, meaningful_perturbation.MOVES, (meaningful_perturbation.STEPS, 2))
        maps.append(mask_deleted(network, image.double().numpy(), chosen, moves))
    return torch.from_numpy(np.stack(maps))

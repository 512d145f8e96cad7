"""A few images under what stands beside the paper's five: other methods, another class, random weights, more views."""

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from app.domain.models.preprocessing import Preprocessing
from app.domain.protocol import Protocol, ProtocolRequest
from docs.pictures.audited import FACES, RECIPE, pixels
from worker.engine.measuring import ModelAuditor, Outcome
from worker.engine.normalisation import Normalisation
from worker.salience import make_explainer
from worker.salience.explainer import Explainer
from worker.salience.hook import TargetHook
from worker.views import View, ViewSetting, make_views
from worker.views.base import ImageBatch
from worker.weights.architectures import build, build_untrained
from worker.weights.loading import read_canonical

EVERY = 4
"""So many faces are passed over for one that is looked at: 25 are enough for a picture."""
SHORTCUTS = FACES.parent / "shortcuts"
FACE = 0

As = Callable[[Explainer], Explainer]


def asked(measures: dict[str, Any], **salience: Any) -> Protocol:
    return ProtocolRequest.model_validate({"measures": measures, "salience": salience}).resolve()


@dataclass(frozen=True)
class Faces:
    """N faces of the example, (N, 3, S, S) uint8."""

    batch: ImageBatch

    @classmethod
    def plain(cls) -> "Faces":
        sys.path[:0] = [str(FACES)]
        named: dict[str, Image.Image] = importlib.import_module("prepare").named_images()
        side = RECIPE["preprocessing"]["input_size"]
        return cls._of(
            {
                name: np.asarray(one.convert("RGB").resize((side, side), Image.Resampling.BILINEAR))
                for name, one in named.items()
            }
        )

    @classmethod
    def tagged(cls) -> "Faces":
        """With the tag of the demo's first chapter."""
        sys.path[:0] = [str(SHORTCUTS)]
        return cls._of(importlib.import_module("tagged_pictures").audited())

    @classmethod
    def _of(cls, named: dict[str, NDArray[np.uint8]]) -> "Faces":
        faces = sorted(name for name in named if name.startswith(RECIPE["class_names"][FACE]))[::EVERY]
        images = torch.from_numpy(np.stack([named[name] for name in faces])).permute(0, 3, 1, 2).contiguous()
        return cls(ImageBatch(images, tuple(faces)))

    def image(self, place: int) -> NDArray[np.uint8]:
        """(S, S, 3) as the networks see it."""
        return pixels(self.batch.images[place])

    def looked_at(self, module: nn.Module, protocol: Protocol, explained: As = lambda explainer: explainer) -> Outcome:
        """What a network gives for all of them."""
        protocol = protocol.model_copy(update={"micro_batch": len(self.batch.images)})
        preprocessing = Preprocessing.of(RECIPE["preprocessing"])
        hook = TargetHook(module, input_size=preprocessing.input_size)
        explainer = explained(make_explainer(protocol.salience.method, hook))
        auditor = ModelAuditor(explainer, Normalisation(preprocessing), protocol, (0, 1))
        return auditor.audit(self.batch, torch.full((len(self.batch.images),), FACE))

    def views(self, protocol: Protocol, outcome: Outcome) -> dict[str, View]:
        """Those of the protocol, to see the images that a network was shown."""
        side, preprocessing = self.batch.images.shape[-1], Preprocessing.of(RECIPE["preprocessing"])
        stride = side // outcome.clean.maps.native.shape[-1]
        setting = ViewSetting(protocol, side, (stride, stride), Normalisation(preprocessing).colour)
        return make_views(protocol.conditions(), setting)

    @cached_property
    def mean(self) -> NDArray[np.uint8]:
        """(S, S, 3), the mean of all."""
        found: Tensor = self.batch.images.double().mean(0).round().to(torch.uint8)
        return pixels(found)


@dataclass(frozen=True)
class Network:
    """One of the example's; ``seed`` draws other weights for it."""

    file: Path
    seed: int | None = None

    def module(self) -> nn.Module:
        with self.file.open("rb") as file:
            weights = read_canonical(file)
        architecture = RECIPE["architecture"]
        if self.seed is None:
            return build(architecture, weights)
        return build_untrained(architecture, weights, {}, None, self.seed)

    def twin(self) -> "Network":
        return replace(self, seed=0)


def network(name: str, folder: Path = FACES) -> Network:
    return Network(folder / "weights" / f"{name}.safetensors")

"""An audit made ready: its protocol, and its models loaded onto the device."""

from dataclasses import dataclass
from typing import Self

import torch

from app.db.tables import ModelRow
from app.domain.label_mapping import LabelMapping, map_labels
from app.domain.protocol import Protocol
from worker.context import WorkerContext
from worker.engine import UNKNOWN_CLASS, ModelAuditor, Normalisation, Outcome
from worker.measures.stability import PairScores, stability
from worker.runtime.device import pick_device
from worker.runtime.sample_reader import DecodedBatch, InputSpec
from worker.salience import make_explainer
from worker.salience.tap import TargetTap
from worker.shard_store import AuditInputs
from worker.views.base import ImageBatch


@dataclass(frozen=True)
class Looks:
    """What all models of an audit gave for one batch."""

    outcomes: tuple[Outcome, ...]
    pairs: PairScores | None


@dataclass(frozen=True)
class AuditPlan:
    """Everything that a shard needs but its samples."""

    protocol: Protocol
    archive_digest: str
    mapping: LabelMapping
    auditors: tuple[ModelAuditor, ...]
    specs: tuple[InputSpec, ...]
    device: torch.device

    @classmethod
    def load(cls, context: WorkerContext, inputs: AuditInputs) -> Self:
        """Raises InputFailure where a model cannot be loaded or lacks the target layer."""
        protocol = Protocol.model_validate(inputs.audit.protocol)
        device = pick_device(context.settings.device)
        first = inputs.models[0]
        mapping = map_labels(inputs.dataset.labels, first.class_names, class_count(first))
        kept = mapping.score_classes(class_count(first))
        return cls(
            protocol=protocol,
            archive_digest=inputs.dataset.stored_digest or "",
            mapping=mapping,
            auditors=tuple(_auditor(context, model, protocol, kept) for model in inputs.models),
            specs=tuple(InputSpec.of(model.preprocessing) for model in inputs.models),
            device=device,
        )

    @property
    def input_specs(self) -> tuple[InputSpec, ...]:
        """Every distinct way in which the models want their images, so that each is decoded once."""
        return tuple(dict.fromkeys(self.specs))

    def look_at(self, batch: DecodedBatch) -> Looks:
        """Run all models on one batch; views that depend on the images alone are made once for all of them."""
        names = tuple(sample.name for sample in batch.samples)
        images = {spec: ImageBatch(pixels.to(self.device), names) for spec, pixels in batch.images.items()}
        truth = torch.tensor([self._truth(sample.label) for sample in batch.samples], device=self.device)
        outcomes = tuple(
            auditor.audit(images[spec], truth) for auditor, spec in zip(self.auditors, self.specs, strict=True)
        )
        wanted = self.protocol.measures.stability is not None
        return Looks(outcomes, stability([outcome.clean.maps for outcome in outcomes]) if wanted else None)

    def _truth(self, label: str | None) -> int:
        return (self.mapping.indices or {}).get(label or "", UNKNOWN_CLASS)


def class_count(model: ModelRow) -> int:
    """Classes that the probe found."""
    return int((model.probe or {})["classes"])


def _auditor(
    context: WorkerContext, model: ModelRow, protocol: Protocol, score_classes: tuple[int, ...]
) -> ModelAuditor:
    device = pick_device(context.settings.device)
    module = context.models.get(context.blobs, model.stored_digest or "", model.architecture, device)
    layer = protocol.salience.target_layer or model.target_layer
    preprocessing = model.preprocessing
    normalisation = Normalisation(
        preprocessing["input_size"], tuple(preprocessing["mean"]), tuple(preprocessing["std"])
    )
    tap = TargetTap(module, input_size=normalisation.input_size, target_layer=layer)
    return ModelAuditor(make_explainer(protocol.salience.method, tap), normalisation, protocol, score_classes)

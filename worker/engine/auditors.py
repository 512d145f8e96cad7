"""Who looks at the images: one auditor a subject, its model loaded or its maps at hand."""

from collections.abc import Sequence

import torch

from app.domain.audits.subjects import Subject
from app.domain.maps.cam_methods import DEFAULT_MASKS
from app.domain.models.preprocessing import MID_GREY, Preprocessing
from app.domain.protocol import Protocol
from app.domain.vocabulary import CLEAN, Explained, Weights
from worker.engine.given_maps import GivenAuditor
from worker.engine.measuring import ModelAuditor
from worker.engine.normalisation import Normalisation
from worker.given.maps import GivenMaps
from worker.salience.explainer import Explainer
from worker.salience.other_class import OtherClassExplainer
from worker.salience.sharing import sharing
from worker.views import ViewSetting, make_views
from worker.weights.cache import LoadedModel
from worker.wire.contents import Inputs
from worker.wire.job_parts import JobModel
from worker.wire.jobs import ShardJob

UNSEEN_SIZE = 224
"""Pixels of the square at which maps too small for a window are compared where no model says how large images are."""


def seed_of(job: ShardJob, subject: Subject) -> int | None:
    """By which the weights of a random twin are drawn."""
    return job.protocol.seed if subject.weights is Weights.RANDOM else None


def auditors_of(
    job: ShardJob, asked: Sequence[tuple[Subject, JobModel]], loaded: Sequence[LoadedModel], device: torch.device
) -> tuple[ModelAuditor, ...]:
    explainers = sharing(
        ((subject.model, subject.weights, subject.salience.target_layer), _explainer(job, subject, model, one))
        for (subject, model), one in zip(asked, loaded, strict=True)
    )
    return tuple(
        ModelAuditor(
            explainer,
            Normalisation(Preprocessing.of(model.preprocessing), one.channels),
            subject.protocol(job.protocol),
            job.score_classes,
            device,
        )
        for (subject, model), one, explainer in zip(asked, loaded, explainers, strict=True)
    )


def _explainer(job: ShardJob, subject: Subject, model: JobModel, loaded: LoadedModel) -> Explainer:
    explainer = explainer_of(subject.protocol(job.protocol), model, loaded)
    return OtherClassExplainer(explainer) if subject.explained is Explained.OTHER_CLASS else explainer


def explainer_of(protocol: Protocol, model: JobModel, loaded: LoadedModel) -> Explainer:
    """Of a subject with that protocol. Raises InputFailure where the network lacks the target layer."""
    salience = protocol.salience
    layer, masks = salience.target_layer or model.target_layer, salience.masks or DEFAULT_MASKS
    input_size = Preprocessing.of(model.preprocessing).input_size
    return loaded.explainer(salience.method, input_size, layer, model.output, masks)


def given_auditor(job: ShardJob, subject: Subject, inputs: Inputs) -> GivenAuditor:
    maps = GivenMaps.of(job.map_sets[subject.map_set or 0], inputs, job.frames)
    seen = Preprocessing.of(job.models[0].preprocessing).input_size if job.models else UNSEEN_SIZE
    size = job.map_sets[subject.map_set or 0].input_size or seen
    # No measure of a map set's asks for views that hang on a network's layer or colour.
    setting = ViewSetting(job.protocol, size, stride=(1, 1), colour=(MID_GREY, MID_GREY, MID_GREY))
    views = make_views((view for view in subject.conditions(job.protocol) if view != CLEAN), setting)
    names = [sample.name for sample in job.samples]
    return GivenAuditor(maps, subject, job.protocol, len(job.score_classes), size, views, names)

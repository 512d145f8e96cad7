"""Looks deep into an uploaded model: can it be read, built, run and explained?"""

from collections.abc import Iterator, Mapping

import torch
from pydantic import JsonValue

from app.domain.models.preprocessing import Preprocessing
from app.domain.vocabulary import Origin
from worker.salience.input_channels import input_channels
from worker.weights.architectures import build, options_read
from worker.weights.channels import check_channels
from worker.weights.fitting import WeightsRequest, read_weights
from worker.weights.loading import canonical_parts
from worker.weights.options import published_options, shown_options
from worker.weights.probe import probe
from worker.weights.recorded_modules import check_recorded, recorded_options
from worker.weights.speed import ModelSpeed
from worker.weights.static_padding import check_padding
from worker.wire.contents import Inputs, verified
from worker.wire.facts import DescribedFact, ModelFacts
from worker.wire.jobs import ModelJob
from worker.wire.replies import Progress, Reply, Weights


def run_model_job(job: ModelJob, device: torch.device, inputs: Inputs) -> Iterator[tuple[Reply, bytes]]:
    """The canonical file in parts, and what the probe found. Raises InputFailure."""
    with verified(inputs, job.digest) as file:
        fitted = read_weights(file, _request(job))
    check_padding(fitted.match.library, fitted.architecture, job.input_size)
    yield Progress(), b""
    given = recorded_options(fitted) | dict(options_read(fitted.architecture, job.architecture_options))
    preprocessing = Preprocessing.of(job.preprocessing)
    published = published_options(fitted.architecture, given, preprocessing.in_unit_range)
    options = given | {name: value for name, (value, _) in published.items()}
    module = build(fitted.architecture, fitted.weights, options, fitted.head)
    check_channels(input_channels(module), preprocessing)
    assumed = published | shown_options(module, options)
    facts = fitted.facts | check_recorded(fitted, module) | _unread(job.architecture_options, options)
    yield Progress(), b""
    found = probe(module, input_size=job.input_size, target_layer=job.target_layer, output=job.output)
    yield Progress(), b""
    for part in canonical_parts(dict(module.state_dict())):
        yield Weights(), part
    # Comes last: it moves the module to the device.
    speed = ModelSpeed.measure(module, device, input_size=job.input_size, target_layer=job.target_layer)
    described = {f"architecture_options.{name}": _assumed(*one) for name, one in assumed.items()}
    told = {
        "speed": speed and speed.to_dict(),
        "description": facts | described,
        "architecture_options": options,
        "head": fitted.head,
    }
    yield ModelFacts.model_validate(found.to_dict() | told), b""


def _request(job: ModelJob) -> WeightsRequest:
    return WeightsRequest(
        format=job.format,
        architecture=job.architecture or "",
        weights_key=job.weights_key,
        ignore_tensors=job.ignore_tensors,
        head=job.head,
        options=job.architecture_options,
    )


def _unread(said: Mapping[str, JsonValue], options: Mapping[str, JsonValue]) -> dict[str, DescribedFact]:
    names: list[JsonValue] = [name for name in sorted(said) if name not in options]
    note = "Fields of the config.json that the library reads nothing of a network from."
    return {"config_left_out": DescribedFact(value=names, origin=Origin.CONFIG, note=note)} if names else {}


def _assumed(value: JsonValue, note: str) -> DescribedFact:
    return DescribedFact(value=value, origin=Origin.ASSUMED, note=note)

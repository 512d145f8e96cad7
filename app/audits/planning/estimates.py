"""What an audit would cost, told before it starts."""

from math import ceil
from typing import Any, Self

from pydantic import BaseModel, Field

from app.audits.planning.looks import Looks
from app.audits.planning.shards import Work, estimated_seconds, shard_ranges, shard_samples
from app.domain.vocabulary import CamMethod, DeviceClass
from app.settings import Settings


class MethodEstimate(BaseModel):
    """What a CAM method adds, of all models together."""

    method: CamMethod
    passes_per_image: int = Field(
        description="Methods of one activation and its gradient share passes: those that come later in the protocol "
        "have only views that are made by their own maps.",
        examples=[66],
    )
    seconds: float | None = Field(description="Null where a speed is not known.", examples=[118.5])

    @classmethod
    def of(cls, method: CamMethod, work: Work, looks: Looks) -> Self:
        own = [cost for cost in work.costs if cost.method is method]
        is_known = all(cost.seconds is not None for cost in own)
        passes = _per_image(sum(cost.passes * cost.images(looks) for cost in own), work)
        seconds = sum(cost.seconds_of(looks) for cost in own)
        return cls(method=method, passes_per_image=passes, seconds=seconds if is_known else None)


class AuditEstimate(BaseModel):
    """The cost of an audit, by the same plan that would cut it into shards."""

    samples: int = Field(examples=[200])
    models: int = Field(examples=[3])
    passes_per_image: int = Field(
        description="Images that go through the models for one sample: the clean image and every view through each "
        "model, and once more for every channel of the target layer where the CAM method tries each, or for every "
        "mask of RISE. Where each of several labels of an image is explained, all that once for every label that one "
        "of its batch has, and by methods that go image by image for its own labels: the mean over the samples, "
        "rounded up.",
        examples=[66],
    )
    passes: int = Field(description="Of all samples.", examples=[13200])
    device_class: DeviceClass = Field(description="Where the audit would run.")
    methods: list[MethodEstimate] = Field(description="What each method of the protocol adds to that.")
    shard_samples: int = Field(description="Samples of a shard; the last one may have fewer.", examples=[48])
    shards: int = Field(description="Parts that workers can share.", examples=[5])
    seconds: float | None = Field(
        description="Of the models' passes on one worker, from the speed that each model's probe measured; reading "
        "images, changing them and scoring come on top. Null where a speed is not known.",
        examples=[118.5],
    )
    seconds_unknown_because: str | None = Field(description="Why `seconds` is null.", examples=[None])
    bytes: int = Field(
        description="Rows of scores and maps in the database with their index entries, before compression.",
        examples=[3200000],
    )
    protocol: dict[str, Any] = Field(description="The whole resolved protocol.")
    protocol_digest: str

    @classmethod
    def of(cls, work: Work, settings: Settings) -> Self:
        ranges = shard_ranges(work, settings)
        looks = work.looks(ranges)
        passes = sum(cost.passes * cost.images(looks) for cost in work.costs)
        return cls(
            samples=work.samples,
            models=len(work.models),
            passes_per_image=_per_image(passes, work),
            passes=passes,
            device_class=work.device_class,
            methods=[
                MethodEstimate.of(method, work, looks) for method in work.protocol.salience.all_methods if work.models
            ],
            shard_samples=shard_samples(work, settings),
            shards=len(ranges),
            seconds=estimated_seconds(work, ranges),
            seconds_unknown_because=work.unknown_because,
            bytes=work.bytes_per_sample * work.samples,
            protocol=work.protocol.to_json(),
            protocol_digest=work.protocol.digest(),
        )


def _per_image(passes: int, work: Work) -> int:
    """``passes`` of all samples."""
    return ceil(passes / max(1, work.samples))

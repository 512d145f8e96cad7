"""Shards, and the processes that compute them."""

from typing import Literal

from pydantic import AliasChoices, BaseModel, Field

from app.domain.vocabulary import SandboxLayer
from app.settings.values import MEBIBYTE, Several


class WorkSettings(BaseModel):
    """Shards, and the processes that compute them."""

    shard_samples: int | None = Field(default=None, ge=1, description="Of every shard; unset: by SHARD_SECONDS")
    shard_seconds: float = Field(default=30.0, gt=0, description="Work that a shard should be")
    max_shard_samples: int = Field(default=4096, ge=1)
    max_shard_bytes: int = Field(default=64 * MEBIBYTE, ge=1, description="Rows that are stored at once")
    audit_device_class: Literal["auto", "cpu", "gpu"] = Field(
        default="auto", description="Where audits run that do not say; auto: gpu where a GPU worker is known, else cpu"
    )
    lease_seconds: float = Field(default=60.0, gt=0)
    max_shard_attempts: int = 3
    child_batch_seconds: float = Field(
        default=600.0,
        gt=0,
        description="Wall clock of one micro-batch, of 16 variants of an image, or model load",
    )
    child_memory_bytes: int = Field(
        default=0, ge=0, description="Of a models' process; 0: 3/4 of what there is, on a CPU at most 4 GiB"
    )
    child_gpu_memory_share: float = Field(default=0.9, gt=0, le=1, description="Of a GPU, for a models' process")
    child_scratch_bytes: int = Field(default=256 * MEBIBYTE, ge=0, description="Of all files of a models' process")
    child_scratch_files: int = Field(default=10_000, ge=0, description="That a models' process may make")
    warm_children: int = Field(default=2, ge=1, description="Models' processes that are kept for their next shard")
    allow_missing_sandbox_layers: Several[SandboxLayer] = Field(
        default=frozenset(),
        # The second is the name before 0.2, read until 0.3.
        validation_alias=AliasChoices("allow_missing_sandbox_layers", "allow_missing_walls"),
        description="Layers of the sandbox without which models are run all the same: see docs/security.md",
    )
    compare_versions: bool = Field(default=True, description="Each audit of one model with its version before")
    reuse_clean_maps: bool = Field(default=True, description="Take clean maps that an earlier audit of the pair stored")
    device: str = Field(default="auto", description="auto, cpu or cuda")
    cuda_visible_devices: str | None = Field(default=None, description="CUDA's own choice of GPUs")
    threads: int = Field(default=0, ge=0, description="Torch threads of a worker; 0: every core it may use")
    decoders: int | None = Field(
        default=None,
        ge=0,
        le=64,
        description="Processes that decode beside the passes; unset: by the cores; 0: a thread",
    )

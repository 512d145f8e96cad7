"""What a process of models begins with."""

from pathlib import Path
from typing import Any

from app.domain.vocabulary import SandboxLayer
from app.settings import Settings
from worker.wire.message import Message

SETTINGS = frozenset(
    {
        "device",
        "threads",
        "log_level",
        "max_entry_bytes",
        "max_pixels",
        "min_side",
        "max_side",
    }
)


class Start(Message):
    """What a child begins with: settings without credentials, what it may take, which sandbox layers may be missing."""

    settings: dict[str, Any]
    scratch: Path
    memory_bytes: int
    gpu_memory_share: float
    """Of a GPU; warm children and the one at work share it."""
    file_bytes: int
    decoders: int
    """Processes that decode pictures for it; 0: it decodes them itself."""
    allowed_missing: frozenset[SandboxLayer]

    @classmethod
    def of(cls, settings: Settings, *, scratch: Path, memory_bytes: int, decoders: int = 0) -> "Start":
        return cls(
            settings=settings.model_dump(mode="json", include=set(SETTINGS)),
            scratch=scratch,
            memory_bytes=memory_bytes,
            gpu_memory_share=settings.child_gpu_memory_share / (settings.warm_children + 1),
            file_bytes=settings.child_scratch_bytes,
            decoders=decoders,
            allowed_missing=settings.allow_missing_sandbox_layers,
        )

    def to_settings(self) -> Settings:
        return Settings(**self.settings)

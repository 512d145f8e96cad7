"""How large and how slow a request and an upload may be."""

from pydantic import BaseModel, Field

from app.settings.values import GIBIBYTE, MEBIBYTE


class UploadLimits(BaseModel):
    """How large and how slow a request and an upload may be."""

    max_upload_bytes: int = 5 * GIBIBYTE
    max_json_bytes: int = 1 * MEBIBYTE
    max_delivery_bytes: int = Field(default=256 * 1024, ge=1, description="Of a delivery to a hook, batches too")
    max_hook_deliveries: int = Field(default=1_000, ge=1, description="That a hook keeps: the oldest goes first")
    max_hook_bytes: int = Field(default=16 * MEBIBYTE, ge=1, description="Of their bodies")
    max_header_bytes: int = 64 * 1024
    max_headers: int = Field(default=200, ge=1, le=1000)
    body_idle_seconds: float = Field(default=30.0, gt=0, description="A body that pauses for longer is given up")
    min_body_rate: int = Field(default=16 * 1024, ge=1, description="Bytes a second, after the grace")
    body_grace_seconds: float = Field(default=60.0, gt=0, description="That a body may take at any rate")
    max_inflated_bytes: int = 20 * GIBIBYTE
    max_entry_bytes: int = 64 * MEBIBYTE
    max_views_bytes: int = Field(default=4 * GIBIBYTE, ge=1, description="Pixels of an archive of changed images")
    max_entries: int = 1_000_000
    max_ratio: int = 200
    max_pixels: int = 50_000_000
    min_side: int = 8
    max_side: int = 16_384
    max_path_bytes: int = 1024
    max_path_depth: int = 16
    max_unreadable_share: float = Field(default=0.05, ge=0, le=0.5)
    min_unreadable_allowance: int = Field(default=10, ge=0, description="Bad samples that any data set may have")

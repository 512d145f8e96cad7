"""A worker as it is shown."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, Field

from app.domain.vocabulary import DeviceClass


class WorkerStatus(StrEnum):
    """Whether it said within a minute that it is there."""

    PRESENT = "present"
    MISSING = "missing"


class Worker(BaseModel):
    """A worker process that was there within a day."""

    name: str = Field(description="Its machine and process.", examples=["gpu-box/4711"])
    device_class: DeviceClass = Field(description="Of the audits whose shards it runs; uploads any worker looks into.")
    status: WorkerStatus
    seen_at: datetime

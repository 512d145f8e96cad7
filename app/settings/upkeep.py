"""What is looked at again and again, and how long things are kept."""

from pydantic import BaseModel, Field


class UpkeepSettings(BaseModel):
    """What is looked at again and again, and how long things are kept."""

    reconcile_seconds: float = Field(default=5.0, gt=0)
    reconcile_after_seconds: float = Field(default=15.0, gt=0, description="How long a message may be overdue")
    watch_seconds: float = Field(default=1.0, gt=0, description="How often watched audits are looked at")
    watch_heartbeat_seconds: float = Field(default=15.0, gt=0, description="A comment to silent watchers")
    max_partial_samples: int = Field(default=100_000, ge=1, description="2 s of work for 10,000 samples and a model")
    webhook_seconds: float = Field(default=1.0, gt=0, description="How often what is due for webhooks is looked for")
    housekeeping_seconds: float = Field(default=600.0, gt=0)
    orphan_grace_seconds: float = Field(default=86_400.0, gt=0, description="Age of a blob that nothing refers to")
    keep_idempotency_keys_days: float = Field(default=1.0, gt=0, description="How long a key gets the same answer")
    keep_deliveries_days: float = Field(
        default=30.0, gt=0, description="Of webhooks, once delivered or given up; of hooks"
    )
    keep_awaiting_days: float = Field(default=0.0, ge=0, description="Registrations without content; 0: for ever")
    keep_maps_days: float = Field(default=0.0, ge=0, description="Maps of audits that have ended; 0: for ever")
    keep_scores_days: float = Field(default=0.0, ge=0, description="Scores of audits that have ended; 0: for ever")
    keep_views_days: float = Field(default=7.0, gt=0, description="Archives of changed images; asked for, made again")

"""Every row of the database."""

from typing import Final

from app.db.tables.access import ApiKeyRow, TenantRow
from app.db.tables.audits import AuditModelRow, AuditRow, ShardRow
from app.db.tables.base import DEFAULT_TENANT, Base, Json, TenantOwned
from app.db.tables.comparisons import ComparisonRow, RescoreRow, VersionComparisonRow
from app.db.tables.hooks import HookDeliveryRow, HookRow, PolicyRow, PolicyRunRow
from app.db.tables.map_sets import AuditMapSetRow, MapRow, MapSetRow
from app.db.tables.operations import AuditUsageRow, CounterRow, GpuReportRow, IdempotencyKeyRow, WorkerRow
from app.db.tables.registries import ConnectionRow, DatasetImportRow, DatasetObjectRow, ModelImportRow
from app.db.tables.resources import DatasetRow, GateRow, ModelRow, RunGroupModelRow, RunGroupRow, SampleRow
from app.db.tables.results import AuditResultsRow, ViewArchiveRow
from app.db.tables.scores import CleanSourceRow, SampleScoresRow, map_cells
from app.db.tables.webhooks import WebhookDeliveryRow, WebhookRow

UPLOADED: Final = (ModelRow, DatasetRow, MapSetRow)
"""What is described first and whose bytes follow."""

__all__ = [
    "DEFAULT_TENANT",
    "UPLOADED",
    "ApiKeyRow",
    "AuditMapSetRow",
    "AuditModelRow",
    "AuditResultsRow",
    "AuditRow",
    "AuditUsageRow",
    "Base",
    "CleanSourceRow",
    "ComparisonRow",
    "ConnectionRow",
    "CounterRow",
    "DatasetImportRow",
    "DatasetObjectRow",
    "DatasetRow",
    "GateRow",
    "GpuReportRow",
    "HookDeliveryRow",
    "HookRow",
    "IdempotencyKeyRow",
    "Json",
    "MapRow",
    "MapSetRow",
    "ModelImportRow",
    "ModelRow",
    "PolicyRow",
    "PolicyRunRow",
    "RescoreRow",
    "RunGroupModelRow",
    "RunGroupRow",
    "SampleRow",
    "SampleScoresRow",
    "ShardRow",
    "TenantOwned",
    "TenantRow",
    "VersionComparisonRow",
    "ViewArchiveRow",
    "WebhookDeliveryRow",
    "WebhookRow",
    "WorkerRow",
    "map_cells",
]

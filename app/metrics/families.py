"""A snapshot as Prometheus metrics. Every name is here, with its meaning."""

from collections.abc import Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from app.db.counters import INFINITY, SHARD_SECONDS_BOUNDS, Tally
from app.metrics.repository import SPEED_WINDOW_SECONDS, Snapshot
from app.queue import TaskName

CRASH_KINDS = ("worker", "model")


class SnapshotCollector(Collector):
    """``queue_depths`` is None while the broker is away: then there is no such metric."""

    def __init__(self, snapshot: Snapshot, queue_depths: Mapping[str, int] | None) -> None:
        self._snapshot = snapshot
        self._queue_depths = queue_depths

    def collect(self) -> Iterator[Metric]:
        """Gauges first, then what only grows."""
        snapshot = self._snapshot
        yield _gauges("audits", "Audits by status", "status", snapshot.audits)
        yield _resources(snapshot)
        yield _gauges("shards", "Shards by status", "status", snapshot.shards)
        if self._queue_depths is not None:
            yield _gauges("queue_depth", "Messages that wait in the broker", "queue", self._queue_depths)
        yield _gauge("oldest_waiting_shard_seconds", "Age of the oldest shard that waits", snapshot.oldest_wait_seconds)
        speed = f"Samples scored a second, over the last {SPEED_WINDOW_SECONDS} seconds"
        yield _gauge("samples_per_second", speed, snapshot.samples_per_second)
        yield _gauge("busy_workers", "Worker processes that hold a shard", snapshot.busy_workers)
        yield from _gpu_memory(snapshot)
        yield from _counters(snapshot.totals)
        yield _shard_seconds(snapshot.totals)


def _gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"salience_audit_{name}", meaning, value=value)


def _gauges(name: str, meaning: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"salience_audit_{name}", meaning, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _resources(snapshot: Snapshot) -> GaugeMetricFamily:
    family = GaugeMetricFamily("salience_audit_resources", "Models and data sets by status", labels=["kind", "status"])
    for kind, counted in (("model", snapshot.models), ("dataset", snapshot.datasets)):
        for status, number in counted.items():
            family.add_metric([kind, status], number)
    return family


def _gpu_memory(snapshot: Snapshot) -> Iterator[Metric]:
    labels = ["worker", "gpu"]
    used = GaugeMetricFamily("salience_audit_worker_gpu_memory_used_bytes", "Of the worker's GPU", labels=labels)
    total = GaugeMetricFamily("salience_audit_worker_gpu_memory_total_bytes", "Of the worker's GPU", labels=labels)
    for report in snapshot.gpus:
        used.add_metric([report.worker, report.gpu], report.memory_used_bytes)
        total.add_metric([report.worker, report.gpu], report.memory_total_bytes)
    yield from (used, total)


def _counters(totals: Mapping[tuple[Tally, str], float]) -> Iterator[Metric]:
    samples, retries = totals.get((Tally.SAMPLES, ""), 0.0), totals.get((Tally.RETRIES, ""), 0.0)
    yield CounterMetricFamily("salience_audit_samples_scored", "Samples of finished shards", value=samples)
    yield CounterMetricFamily("salience_audit_shard_retries", "Attempts at shards beyond the first", value=retries)
    crashes = CounterMetricFamily(
        "salience_audit_shard_crashes", "Attempts that lost their worker, or its model's process", labels=["kind"]
    )
    for kind in CRASH_KINDS:
        crashes.add_metric([kind], totals.get((Tally.CRASHES, kind), 0.0))
    resends = CounterMetricFamily("salience_audit_reconciler_resends", "Messages sent again", labels=["task"])
    for task in TaskName:
        resends.add_metric([task], totals.get((Tally.RESENDS, task), 0.0))
    yield from (crashes, resends)


def _shard_seconds(totals: Mapping[tuple[Tally, str], float]) -> HistogramMetricFamily:
    """Stored by the smallest bound, shown as sums over all smaller ones."""
    buckets, count = [], 0.0
    for bound in (*(f"{bound:g}" for bound in SHARD_SECONDS_BOUNDS), INFINITY):
        count += totals.get((Tally.SHARDS_WITHIN, bound), 0.0)
        buckets.append((bound, count))
    seconds = totals.get((Tally.SHARD_SECONDS, ""), 0.0)
    meaning = "From claim to stored scores, of finished shards"
    return HistogramMetricFamily("salience_audit_shard_seconds", meaning, buckets=buckets, sum_value=seconds)

"""What the simulation measured, as a table and in words."""

from dataclasses import dataclass

import numpy as np

Taken = dict[str, list[tuple[float, float]]]


@dataclass(frozen=True)
class Plan:
    """A round: how many workers, what each shard is like, for how long it is measured.

    ``shard_seconds`` 0: the workers do nothing but claim and save, as fast as they can.
    """

    workers: int
    shard_seconds: float
    heartbeat_seconds: float
    shard_samples: int
    seconds: float
    processes: int

    @property
    def warm_up_seconds(self) -> float:
        """Until all have claimed their first shard: they start at once, as they never do in service."""
        return 5 + self.workers / 80

    @property
    def shards(self) -> int:
        """More than can be done."""
        if self.shard_seconds == 0:
            return int(100 * (self.warm_up_seconds + self.seconds))
        return 4 + round(1.5 * self.workers * (1 + (self.warm_up_seconds + self.seconds) / self.shard_seconds))


@dataclass
class Round:
    """What a round measured, between the end of its warm-up and its end."""

    plan: Plan
    seconds: float
    reconciler_ms: list[float]
    scrape_ms: list[float]
    connections: float
    taken: Taken
    used: dict[str, float]
    """Differences over the round: of Postgres and broker, of bytes and seconds."""

    def count(self, name: str) -> int:
        return len(self.taken.get(name, []))

    def ms(self, name: str, percent: float) -> float:
        seconds = [seconds for _, seconds in self.taken.get(name, [])]
        return float(np.percentile(seconds or [np.nan], percent)) * 1000


@dataclass(frozen=True)
class Backlog:
    """Milliseconds with that many shards waiting; broker bytes of a waiting message."""

    shards: int
    seconds_to_write: float
    sends_per_second: float
    message_bytes: float
    reconciler_first_ms: float
    reconciler_next_ms: float
    scrape_ms: float
    claim_ms: float
    sample_bytes: float
    """Of a row of ``samples``, indexes included."""
    shard_bytes: float


@dataclass(frozen=True)
class Reduce:
    """Reading one model's stored scores; bytes of memory for each sample at the peak."""

    samples: int
    seconds: float
    bytes_per_sample: float


COLUMNS = (
    "workers",
    "shards/s",
    "wanted",
    "claim p50/p99 ms",
    "save p50/p99 ms",
    "beat p50/p99 ms",
    "beats/s",
    "messages/s",
    "commands/s",
    "reconciler ms",
    "scrape ms",
    "bytes/sample",
    "WAL/sample",
    "Postgres ms/shard",
    "Valkey ms/shard",
    "connections",
)


def table(rounds: list[Round]) -> str:
    """Markdown, one line a round."""
    lines = [COLUMNS, ("---:",) * len(COLUMNS), *(_cells(found) for found in rounds)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n\n" + _caption(rounds[0].plan)


def _cells(found: Round) -> list[str]:
    shards, seconds, used = found.count("save"), found.seconds, found.used
    wanted = found.plan.workers / found.plan.shard_seconds if found.plan.shard_seconds else np.nan
    samples = max(1, shards * found.plan.shard_samples)
    return [
        str(found.plan.workers),
        f"{shards / seconds:.2f}",
        f"{wanted:.2f}",
        *(f"{found.ms(name, 50):.1f} / {found.ms(name, 99):.1f}" for name in ("claim", "save", "beat")),
        f"{found.count('beat') / seconds:.1f}",
        f"{found.count('claim') / seconds:.1f}",
        f"{used['broker_commands'] / seconds:.0f}",
        f"{max(found.reconciler_ms):.0f}",
        f"{max(found.scrape_ms):.0f}",
        f"{used['score_bytes'] / samples:.0f}",
        f"{used['wal_bytes'] / samples:.0f}",
        f"{used['postgres_seconds'] / max(1, shards) * 1000:.0f}",
        f"{used['broker_seconds'] / max(1, shards) * 1000:.1f}",
        f"{found.connections:.0f}",
    ]


def _caption(plan: Plan) -> str:
    return (
        f"Shards of {plan.shard_samples} samples, {plan.shard_seconds:g} s on average, one model, default protocol;"
        f" heart-beat every {plan.heartbeat_seconds:g} s; reconciler and scrape: the slowest of the round."
    )


def facts(backlog: Backlog, reduce: Reduce) -> str:
    """What the table has no column for."""
    waiting = f"With {backlog.shards} shards waiting: reconciler {backlog.reconciler_first_ms:.0f} ms the first time,"
    read = f"Scores of {reduce.samples} samples read by a reduce: {reduce.seconds:.1f} s,"
    lines = (
        f"Messages sent by one API process: {backlog.sends_per_second:.0f}/s, {backlog.message_bytes:.0f} bytes each.",
        f"{backlog.shards} shards written by one request: {backlog.seconds_to_write:.1f} s.",
        f"Rows with their indexes: a sample {backlog.sample_bytes:.0f} bytes, a shard {backlog.shard_bytes:.0f} bytes.",
        f"{waiting} {backlog.reconciler_next_ms:.0f} ms the second; scrape {backlog.scrape_ms:.0f} ms.",
        f"The next of them claimed: {backlog.claim_ms:.0f} ms.",
        f"{read} {reduce.bytes_per_sample:.0f} bytes of memory each.",
    )
    return "\n".join(lines)

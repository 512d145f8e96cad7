"""The real database and the real broker, filled as a large audit fills them."""

import dataclasses
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from redis import Redis
from sqlalchemy import Engine, create_engine, insert, text, update

from app.db.identifiers import new_id
from app.db.migrations import upgrade
from app.db.session import transaction
from app.db.tables import AuditModelRow, AuditRow, DatasetRow, ModelRow, ShardRow
from app.domain.protocol import Protocol, ProtocolRequest
from app.domain.vocabulary import AuditStatus, DeviceClass, ResourceStatus, ShardStatus
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.process import Child
from app.embedded.valkey import EmbeddedValkey

CONNECTIONS = 1300


@dataclass(frozen=True)
class World:
    """Two running servers, a data set and a model."""

    database_url: str
    broker_url: str
    engine: Engine
    broker: "Redis"
    postgres_pid: int
    dataset_id: UUID
    model_id: UUID

    def scalar(self, query: str) -> float:
        with self.engine.connect() as connection:
            return float(connection.scalar(text(query)) or 0)

    def postgres_seconds(self) -> float:
        """Processor time of all its processes that live; those of the workers do until a round ends."""
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):  # it ended meanwhile
                fields = stat.read_text().rpartition(")")[2].split()
                if self.postgres_pid in {int(stat.parent.name), int(fields[1])}:
                    ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def broker_facts(self) -> dict[str, float]:
        info = self.broker.info()
        seconds = info["used_cpu_user"] + info["used_cpu_sys"]
        return {"commands": info["total_commands_processed"], "seconds": seconds, "bytes": info["used_memory"]}


@contextmanager
def world(samples: int) -> Iterator[World]:
    """Servers of their own in a folder of their own, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="salience-audit-scale-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        postgres, valkey = EmbeddedPostgres(folder / "postgres"), EmbeddedValkey(folder / "valkey")
        spec = postgres.child(folder / "postgres.log")
        # Every worker holds a connection.
        more = ("-c", f"max_connections={CONNECTIONS}", "-c", "shared_buffers=512MB", "-c", "max_wal_size=4GB")
        servers = [Child(dataclasses.replace(spec, command=(*spec.command, *more)))]
        try:
            servers.append(Child(valkey.child(folder / "valkey.log")))
            for server in servers:
                server.wait_ready()
            engine = create_engine(postgres.url, pool_pre_ping=True)
            upgrade(engine)
            dataset_id, model_id = _fill(engine, samples)
            broker = Redis.from_url(valkey.url)
            yield World(postgres.url, valkey.url, engine, broker, servers[0].pid, dataset_id, model_id)
            engine.dispose()
        finally:
            for server in reversed(servers):
                server.stop()


def default_protocol() -> Protocol:
    """What an audit of one model gets that asks for nothing."""
    return ProtocolRequest().resolve().without("stability")


def _fill(engine: Engine, samples: int) -> tuple[UUID, UUID]:
    dataset_id, model_id = new_id(), new_id()
    ready = {"status": ResourceStatus.READY, "extra": {}, "content_digest": "sha256:0", "stored_digest": "sha256:0"}
    with transaction(engine) as session:
        session.add(DatasetRow(id=dataset_id, name="many", sample_count=samples, labels=["a", "b"], **ready))
        recipe = {"architecture": "resnet50", "format": "safetensors", "preprocessing": {"input_size": 224}}
        session.add(ModelRow(id=model_id, name="one", probe={"classes": 2}, **recipe, **ready))
        session.flush()
        session.execute(
            text(
                "INSERT INTO samples (id, dataset_id, name, name_key, position, status, label, width, height,"
                ' "offset", stored_size, size, compression, crc32)'
                " SELECT uuidv7(), :dataset, 'a/' || n || '.png', sha256(n::text::bytea), n, 'ready', 'a', 224, 224,"
                " n * 50000::bigint, 50000, 50000, 0, n FROM generate_series(0, :count - 1) n"
            ),
            {"dataset": dataset_id, "count": samples},
        )
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))
    return dataset_id, model_id


def start_audit(world: World, shards: int, shard_samples: int, protocol: Protocol | None = None) -> UUID:
    """An audit with its shards, as the API writes it; the default protocol where none is given."""
    protocol, audit_id = protocol or default_protocol(), new_id()
    with transaction(world.engine) as session:
        audit = AuditRow(
            id=audit_id,
            status=AuditStatus.QUEUED,
            dataset_id=world.dataset_id,
            device_class=DeviceClass.CPU,
            protocol=protocol.to_json(),
            protocol_digest=protocol.digest(),
            sample_count=shards * shard_samples,
        )
        session.add(audit)
        session.flush()
        session.add(AuditModelRow(audit_id=audit_id, ordinal=0, model_id=world.model_id))
        bounds = ((n, n * shard_samples) for n in range(shards))
        rows = [
            {"id": new_id(), "audit_id": audit_id, "ordinal": n, "start": start, "stop": start + shard_samples}
            for n, start in bounds
        ]
        session.execute(insert(ShardRow), rows)
    return audit_id


def end_audit(world: World, audit_id: UUID) -> None:
    """So that the reconciler has nothing more to do with it."""
    with transaction(world.engine) as session:
        ended = update(AuditRow).where(AuditRow.id == audit_id).values(status=AuditStatus.CANCELLED)
        session.execute(ended)
        session.execute(
            update(ShardRow)
            .where(ShardRow.audit_id == audit_id, ShardRow.status != ShardStatus.DONE)
            .values(status=ShardStatus.DONE)
        )

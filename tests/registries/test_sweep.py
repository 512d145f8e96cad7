"""Versions that no event told of: found by asking, and only those that are newer than the policy."""

import time

from cryptography.fernet import Fernet
from sqlalchemy import select

from app.access.vault import Vault
from app.db.identifiers import new_id
from app.db.session import TenantEngine, make_engine, transaction
from app.db.tables import DEFAULT_TENANT, ConnectionRow, PolicyRow, PolicyRunRow
from app.policies.sweep import Sweeper
from app.settings import Settings
from tests.registries.recorded_mlflow import recorded_mlflow


def test_sweep(database_url: str) -> None:
    engine = make_engine(database_url)
    settings = Settings(sweep_seconds=0.001, allowed_networks=frozenset({"127.0.0.1/32"}))
    now = int(time.time() * 1000)
    with recorded_mlflow() as mlflow:
        for name, age in (("faces-new", -60_000), ("faces-old", 3_600_000), ("digits", -60_000)):
            mlflow.versions[name, "1"] = {"files": {}, "tags": {}, "created_ms": now - age}
        with transaction(TenantEngine(engine, DEFAULT_TENANT)) as session:
            connection = ConnectionRow(id=new_id(), name="m", kind="mlflow", url=mlflow.url, auth_kind="none")
            session.add(connection)
            session.flush()
            told = {"match": {"model": "faces-*"}, "dataset_id": str(new_id())}
            session.add(PolicyRow(id=new_id(), name="p", connection_id=connection.id, definition=told))
        sweeper = Sweeper(engine, Vault(Fernet.generate_key().decode()), settings)
        for _ in range(2):
            time.sleep(0.01)
            claim = sweeper.claim(frozenset())
            assert claim is not None
            sweeper.work(claim)
        assert sweeper.claim(frozenset({DEFAULT_TENANT})) is None
    with transaction(engine) as session:
        assert session.execute(select(PolicyRunRow.model_name, PolicyRunRow.version)).all() == [("faces-new", "1")]
    engine.dispose()

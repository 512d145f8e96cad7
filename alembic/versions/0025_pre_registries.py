"""Connections to registries, imported models, hooks with their deliveries, policies with their runs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0025_pre_registries"
down_revision = "0024_pre_graphs"
branch_labels = None
depends_on = None

ROLE = "salience_audit_tenant"
DEFAULT_TENANT = "00000000-0000-7000-8000-000000000001"
SETTING = "NULLIF(current_setting('app.tenant', true), '')::uuid"
TABLES = ("connections", "model_imports", "hooks", "hook_deliveries", "policies", "policy_runs")


def upgrade() -> None:
    _imports()
    _hooks()
    _policies()
    for table in TABLES:
        _keep_apart(table)


def _imports() -> None:
    op.add_column("models", sa.Column("source", JSONB(), nullable=True))
    op.create_table(
        "connections",
        *_identified(),
        *(_text(name) for name in ("name", "kind", "url", "auth_kind")),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
    )
    op.create_table(
        "model_imports",
        _refers("model_id", "models", "CASCADE", primary_key=True),
        _tenant(),
        _refers("connection_id", "connections", "RESTRICT", index=True),
        _text("uri"),
        sa.Column("said", JSONB(), nullable=False),
        sa.Column("found", JSONB(), server_default=sa.text("'[]'"), nullable=False),
        *_tried(),
    )


def _hooks() -> None:
    op.create_table(
        "hooks",
        *_identified(),
        *(_text(name) for name in ("name", "kind")),
        _refers("connection_id", "connections", "RESTRICT", index=True),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "hook_deliveries",
        *_identified(),
        _refers("hook_id", "hooks", "CASCADE"),
        *(_text(name) for name in ("key", "event")),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        _text("outcome"),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("runs", JSONB(), nullable=True),
    )
    waiting = sa.text("outcome = 'pending' AND runs IS NULL")
    op.create_index("ix_hook_deliveries_waiting", "hook_deliveries", ["id"], postgresql_where=waiting)
    op.create_index("ix_hook_deliveries_key", "hook_deliveries", ["hook_id", "key"], unique=True)


def _policies() -> None:
    op.create_table(
        "policies",
        *_identified(),
        _text("name"),
        _refers("connection_id", "connections", "RESTRICT", index=True),
        sa.Column("definition", JSONB(), nullable=False),
        sa.Column("swept_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
    )
    op.create_table(
        "policy_runs",
        *_identified(),
        _refers("policy_id", "policies", "CASCADE"),
        *(_text(name) for name in ("model_name", "version", "stage")),
        sa.Column("reason", sa.Text(), nullable=True),
        _refers("model_id", "models", "SET NULL", index=True, nullable=True),
        _refers("audit_id", "audits", "SET NULL", index=True, nullable=True),
        *_tried(),
    )
    op.create_index("ix_policy_runs_due", "policy_runs", ["next_at"], postgresql_where=sa.text("next_at IS NOT NULL"))
    version = ["policy_id", "model_name", "version"]
    op.create_index("ix_policy_runs_version", "policy_runs", version, unique=True)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    op.drop_column("models", "source")


def _keep_apart(table: str) -> None:
    if table != "model_imports":
        op.create_index(f"ix_{table}_tenant", table, ["tenant_id", "id"])
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {ROLE}")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    own = f"current_user <> '{ROLE}' OR tenant_id = (SELECT {SETTING})"
    op.execute(f"CREATE POLICY tenants_apart ON {table} USING ({own})")


def _text(name: str) -> sa.Column:
    return sa.Column(name, sa.Text(), nullable=False)


def _refers(
    name: str, table: str, ondelete: str, *, index: bool = False, nullable: bool = False, primary_key: bool = False
) -> sa.Column:
    key = sa.ForeignKey(f"{table}.id", ondelete=ondelete)
    return sa.Column(name, sa.Uuid(), key, index=index or None, nullable=nullable, primary_key=primary_key)


def _tried() -> tuple[sa.Column, ...]:
    return (
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=True),
    )


def _tenant(*keys: sa.ForeignKey) -> sa.Column:
    default = sa.text(f"COALESCE({SETTING}, '{DEFAULT_TENANT}'::uuid)")
    return sa.Column("tenant_id", sa.Uuid(), *keys, server_default=default, nullable=False)


def _identified() -> tuple[sa.Column, ...]:
    return (
        sa.Column("id", sa.Uuid(), primary_key=True),
        _tenant(sa.ForeignKey("tenants.id", ondelete="RESTRICT")),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
    )

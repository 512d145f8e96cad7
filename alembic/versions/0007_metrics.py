"""counters, GPU reports, the origin of audits, and when an attempt at a shard ended."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007_metrics"
down_revision = "0006_clean_sources"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "counters",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("slot", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", "label", "slot"),
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "gpu_reports",
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("gpu", sa.Text(), nullable=False),
        sa.Column("memory_used_bytes", sa.BigInteger(), nullable=False),
        sa.Column("memory_total_bytes", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("worker"),
    )
    op.add_column("audits", sa.Column("origin", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.add_column("shards", sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("shards", sa.Column("taken_over", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_index(op.f("ix_shards_finished_at"), "shards", ["finished_at"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_shards_finished_at"), table_name="shards")
    op.drop_column("shards", "taken_over")
    op.drop_column("shards", "finished_at")
    op.drop_column("audits", "origin")
    op.drop_table("gpu_reports")
    op.drop_table("counters")

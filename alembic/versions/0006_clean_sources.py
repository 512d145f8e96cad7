"""Clean maps that later audits may take over."""

import sqlalchemy as sa
from alembic import op

revision = "0006_clean_sources"
down_revision = "0005_comparisons_and_gates"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "clean_sources",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("audit_id", sa.Uuid(), nullable=False),
        sa.Column("model_ordinal", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("start", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stop", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["audit_id"], ["audits.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", "audit_id", "model_ordinal", "start"),
    )
    op.create_index("ix_clean_sources_audit_id", "clean_sources", ["audit_id"])


def downgrade() -> None:
    op.drop_table("clean_sources")

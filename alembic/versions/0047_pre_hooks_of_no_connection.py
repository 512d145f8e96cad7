"""Hooks whose events policies follow each over its own connection."""

from alembic import op

revision = "0047_pre_hooks_of_no_connection"
down_revision = "0046_pre_turns_of_imports"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("hooks", "connection_id", nullable=True)


def downgrade() -> None:
    op.execute("DELETE FROM hooks WHERE connection_id IS NULL")
    op.alter_column("hooks", "connection_id", nullable=False)

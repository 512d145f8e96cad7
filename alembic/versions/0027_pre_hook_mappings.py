"""Hooks of registries that have no form of their own: where their events say which version it is."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0027_pre_hook_mappings"
down_revision = "0026_pre_due_imports"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("hooks", sa.Column("mapping", JSONB(), nullable=True))


def downgrade() -> None:
    op.drop_column("hooks", "mapping")

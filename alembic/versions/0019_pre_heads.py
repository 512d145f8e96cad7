"""Layers that stand in place of a network's classifier."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0019_pre_heads"
down_revision = "0018_architecture_options"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("models", sa.Column("head", JSONB(), nullable=True))


def downgrade() -> None:
    op.drop_column("models", "head")

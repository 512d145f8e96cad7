"""How a model's outputs are read: as classes, as one logit, or as labels."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0015_outputs"
down_revision = "0014_pre_tenant_role"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("models", sa.Column("output", JSONB(), nullable=True))


def downgrade() -> None:
    op.drop_column("models", "output")

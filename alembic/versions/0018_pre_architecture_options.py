"""Arguments of an architecture's builder that no tensor shows."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0018_architecture_options"
down_revision = "0017_pre_names"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("models", sa.Column("architecture_options", JSONB(), server_default="{}", nullable=False))


def downgrade() -> None:
    op.drop_column("models", "architecture_options")

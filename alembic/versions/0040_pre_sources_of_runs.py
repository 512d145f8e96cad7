"""A policy's run knows where its version's files are, where no name and version say it."""

import sqlalchemy as sa
from alembic import op

revision = "0040_pre_sources_of_runs"
down_revision = "0039_pre_size_of_maps"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("policy_runs", sa.Column("source", sa.Text()))


def downgrade() -> None:
    op.drop_column("policy_runs", "source")

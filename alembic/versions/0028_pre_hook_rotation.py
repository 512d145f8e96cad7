"""Secrets of hooks rotate: for a while the one before is good as well."""

import sqlalchemy as sa
from alembic import op

revision = "0028_pre_hook_rotation"
down_revision = "0027_pre_hook_mappings"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("hooks", sa.Column("previous_secret", sa.LargeBinary(), nullable=True))
    op.add_column("hooks", sa.Column("previous_until", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("hooks", "previous_until")
    op.drop_column("hooks", "previous_secret")

"""A hook says since when deliveries come without its proof."""

import sqlalchemy as sa
from alembic import op

revision = "0034_pre_hook_refusals"
down_revision = "0033_pre_rescores"
branch_labels = None
depends_on = None

COLUMNS = ("refused_since", "refusals_told_at")


def upgrade() -> None:
    for name in COLUMNS:
        op.add_column("hooks", sa.Column(name, sa.DateTime(timezone=True)))


def downgrade() -> None:
    for name in reversed(COLUMNS):
        op.drop_column("hooks", name)

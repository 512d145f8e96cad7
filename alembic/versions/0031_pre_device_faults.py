"""A shard knows at which of its samples a device has failed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0031_pre_device_faults"
down_revision = "0030_pre_policies_that_recur"
branch_labels = None
depends_on = None


def upgrade() -> None:
    faults = sa.Column("device_faults", postgresql.ARRAY(sa.Integer), server_default=sa.text("'{}'"), nullable=False)
    op.add_column("shards", faults)


def downgrade() -> None:
    op.drop_column("shards", "device_faults")

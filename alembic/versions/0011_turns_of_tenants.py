"""When each tenant was served last."""

import sqlalchemy as sa
from alembic import op

revision = "0011_turns_of_tenants"
down_revision = "0010_quotas"
branch_labels = None
depends_on = None


def upgrade() -> None:
    claimed = sa.text("claimed_at IS NOT NULL")
    op.create_index("ix_shards_tenant_claimed", "shards", ["tenant_id", "claimed_at"], postgresql_where=claimed)


def downgrade() -> None:
    op.drop_index("ix_shards_tenant_claimed", table_name="shards")

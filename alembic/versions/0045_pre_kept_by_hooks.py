"""How much each hook keeps, so that no delivery has to count all before it."""

import sqlalchemy as sa
from alembic import op

revision = "0045_pre_kept_by_hooks"
down_revision = "0044_pre_sides_of_comparisons"
branch_labels = None
depends_on = None

COUNT = """
UPDATE hooks SET kept = found.number, kept_bytes = found.size
FROM (SELECT hook_id, count(*) AS number, sum(octet_length(body)) AS size FROM hook_deliveries GROUP BY hook_id) AS found
WHERE hooks.id = found.hook_id
"""


def upgrade() -> None:
    op.add_column("hooks", sa.Column("kept", sa.Integer(), server_default="0", nullable=False))
    op.add_column("hooks", sa.Column("kept_bytes", sa.BigInteger(), server_default="0", nullable=False))
    op.execute(COUNT)


def downgrade() -> None:
    for column in ("kept_bytes", "kept"):
        op.drop_column("hooks", column)

"""How many bytes the maps of a map set take, for the quota."""

import sqlalchemy as sa
from alembic import op

revision = "0039_pre_size_of_maps"
down_revision = "0038_pre_maps_of_views"
branch_labels = None
depends_on = None

_FILL = """
UPDATE map_sets SET stored_size = kept.bytes
FROM (SELECT map_set_id, sum(stored_size) AS bytes FROM maps GROUP BY map_set_id) AS kept
WHERE kept.map_set_id = map_sets.id AND kept.bytes IS NOT NULL
"""


def upgrade() -> None:
    op.add_column("map_sets", sa.Column("stored_size", sa.BigInteger(), server_default="0", nullable=False))
    op.execute(_FILL)


def downgrade() -> None:
    op.drop_column("map_sets", "stored_size")

"""Map sets of the images that audits hand out."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0038_pre_maps_of_views"
down_revision = "0037_pre_map_sets"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("map_sets", sa.Column("input_size", ARRAY(sa.Integer()), nullable=True))
    op.add_column("map_sets", sa.Column("made", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("map_sets", "made")
    op.drop_column("map_sets", "input_size")

"""Work that waits for a source, imports that end for no reason that is known, and what a listing takes."""

import sqlalchemy as sa
from alembic import op

revision = "0042_pre_imports_end"
down_revision = "0041_pre_order_of_versions"
branch_labels = None
depends_on = None

READERS = ("shards", "dataset_imports", "view_archives")
LEASED = ("model_imports", "dataset_imports", "policy_runs")
BYTES_OF_AN_OBJECT = 900
"""About as many as are counted from now on."""


def upgrade() -> None:
    for table in READERS:
        op.add_column(table, sa.Column("source_away_since", sa.DateTime(timezone=True), nullable=True))
        op.add_column(table, sa.Column("source_tries", sa.Integer(), server_default="0", nullable=False))
    for table in LEASED:
        op.add_column(table, sa.Column("unexplained", sa.Integer(), server_default="0", nullable=False))
    op.add_column("dataset_imports", sa.Column("listed_bytes", sa.BigInteger(), server_default="0", nullable=False))
    op.execute(f"UPDATE dataset_imports SET listed_bytes = {BYTES_OF_AN_OBJECT}::bigint * listed")


def downgrade() -> None:
    op.drop_column("dataset_imports", "listed_bytes")
    for table in LEASED:
        op.drop_column(table, "unexplained")
    for table in READERS:
        op.drop_column(table, "source_tries")
        op.drop_column(table, "source_away_since")

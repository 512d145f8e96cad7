"""Splits, clusters and groups of samples; what was skipped; how labels meet classes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0016_data_sets"
down_revision = "0015_outputs"
branch_labels = None
depends_on = None

COLUMNS = {
    "datasets": (
        sa.Column("splits", ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("skipped", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("label_map", JSONB(), nullable=True),
        sa.Column("name_encoding", sa.Text(), nullable=True),
        sa.Column("columns", JSONB(), nullable=True),
        sa.Column("near_duplicates", JSONB(), nullable=True),
    ),
    "samples": (
        sa.Column("split", sa.Text(), nullable=True),
        sa.Column("cluster", sa.Text(), nullable=True),
        sa.Column("groups", JSONB(), nullable=True),
        sa.Column("content_sha256", sa.LargeBinary(), nullable=True),
        sa.Column("perceptual_hash", sa.LargeBinary(), nullable=True),
        sa.Column("near_duplicate_of", sa.Text(), nullable=True),
    ),
    "audits": (
        sa.Column("split", sa.Text(), nullable=True),
        sa.Column("stratify", sa.Text(), nullable=True),
        sa.Column("group_by", ARRAY(sa.Text()), nullable=True),
        sa.Column("label_map", JSONB(), nullable=True),
        sa.Column("notes", ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    ),
}


def upgrade() -> None:
    for table, columns in COLUMNS.items():
        for column in columns:
            op.add_column(table, column)


def downgrade() -> None:
    for table, columns in COLUMNS.items():
        for column in columns:
            op.drop_column(table, column.name)

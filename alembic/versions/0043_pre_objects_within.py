"""Data sets by reference whose images lie within tars and tables, and the texts beside images."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0043_pre_objects_within"
down_revision = "0042_pre_imports_end"
branch_labels = None
depends_on = None

OBJECTS, IMPORTS = "dataset_objects", "dataset_imports"


def upgrade() -> None:
    op.add_column(OBJECTS, sa.Column("container", sa.Integer(), nullable=True))
    op.add_column(OBJECTS, sa.Column("begin", sa.BigInteger(), nullable=True))
    op.add_column(OBJECTS, sa.Column("crc32", sa.BigInteger(), nullable=True))
    op.add_column(OBJECTS, sa.Column("content", sa.LargeBinary(), nullable=True))
    op.add_column(IMPORTS, sa.Column("opened", sa.Integer(), server_default="0", nullable=False))
    op.add_column(IMPORTS, sa.Column("openings", sa.Integer(), server_default="0", nullable=False))
    op.add_column(IMPORTS, sa.Column("opening_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column(IMPORTS, sa.Column("within", JSONB(), nullable=True))


def downgrade() -> None:
    for column in ("within", "opening_until", "openings", "opened"):
        op.drop_column(IMPORTS, column)
    for column in ("content", "crc32", "begin", "container"):
        op.drop_column(OBJECTS, column)

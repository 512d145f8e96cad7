"""Quotas of tenants."""

import sqlalchemy as sa
from alembic import op

revision = "0010_quotas"
down_revision = "0009_row_security"
branch_labels = None
depends_on = None

ROLE = "salience_audit_tenant"
COLUMNS = {"max_bytes": sa.BigInteger(), "max_models": sa.Integer(), "max_live_audits": sa.Integer()}


def upgrade() -> None:
    for name, kind in COLUMNS.items():
        op.add_column("tenants", sa.Column(name, kind, nullable=True))
    # To lock a row one must be allowed to change some column of it; a tenant cannot change its quotas.
    op.execute(f"GRANT SELECT, UPDATE (id) ON tenants TO {ROLE}")
    op.execute("ALTER TABLE tenants ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE tenants FORCE ROW LEVEL SECURITY")
    own = "id = (SELECT NULLIF(current_setting('app.tenant', true), '')::uuid)"
    op.execute(f"CREATE POLICY tenants_apart ON tenants USING (current_user <> '{ROLE}' OR {own})")


def downgrade() -> None:
    op.execute("DROP POLICY tenants_apart ON tenants")
    op.execute("ALTER TABLE tenants NO FORCE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE tenants DISABLE ROW LEVEL SECURITY")
    op.execute(f"REVOKE ALL ON tenants FROM {ROLE}")
    for name in COLUMNS:
        op.drop_column("tenants", name)

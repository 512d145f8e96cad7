"""Row security: what acts as a tenant sees that tenant's rows, whatever its query forgot."""

import sqlalchemy as sa
from alembic import op

revision = "0009_row_security"
down_revision = "0008_tenants"
branch_labels = None
depends_on = None

ROLE = "salience_audit_tenant"
OWNED = ("models", "datasets", "run_groups", "gates", "audits", "comparisons", "idempotency_keys")
MANY = ("samples", "shards", "sample_scores")
CHILDREN = {
    "run_group_models": ("run_group_id", "run_groups"),
    "audit_models": ("audit_id", "audits"),
    "audit_results": ("audit_id", "audits"),
    "clean_sources": ("audit_id", "audits"),
}
SHARED = ("workers",)
DEFAULT_TENANT = "00000000-0000-7000-8000-000000000001"
IS_SERVICE = f"current_user <> '{ROLE}'"
IS_OWN = "tenant_id = (SELECT NULLIF(current_setting('app.tenant', true), '')::uuid)"


def upgrade() -> None:
    _make_role()
    default = f"COALESCE(NULLIF(current_setting('app.tenant', true), '')::uuid, '{DEFAULT_TENANT}'::uuid)"
    for table in MANY:
        # To ask their parents row by row would cost more than the queries themselves.
        op.add_column(table, sa.Column("tenant_id", sa.Uuid(), server_default=sa.text(default), nullable=False))
    for table in (*OWNED, *MANY, *CHILDREN):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {ROLE}")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    for table in SHARED:
        op.execute(f"GRANT SELECT ON {table} TO {ROLE}")
    for table in (*OWNED, *MANY):
        op.execute(f"CREATE POLICY tenants_apart ON {table} USING ({IS_SERVICE} OR {IS_OWN})")
    for table, (column, parent) in CHILDREN.items():
        # The parent's own policy applies to what is found here.
        found = f"EXISTS (SELECT FROM {parent} WHERE {parent}.id = {table}.{column})"
        op.execute(f"CREATE POLICY tenants_apart ON {table} USING ({IS_SERVICE} OR {found})")


def downgrade() -> None:
    """The role stays: other databases of the cluster may know it."""
    for table in (*CHILDREN, *MANY, *OWNED):
        op.execute(f"DROP POLICY tenants_apart ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    for table in (*OWNED, *MANY, *CHILDREN, *SHARED):
        op.execute(f"REVOKE ALL ON {table} FROM {ROLE}")
    for table in MANY:
        op.drop_column(table, "tenant_id")


def _make_role() -> None:
    """Roles belong to the cluster: another database may have made it, or be making it."""
    op.execute(
        f"""
        DO $$
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ROLE}') THEN
                CREATE ROLE {ROLE} NOLOGIN;
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END $$
        """
    )
    op.execute(
        f"""
        DO $$
        BEGIN
            IF NOT pg_has_role(current_user, '{ROLE}', 'MEMBER') THEN
                EXECUTE format('GRANT {ROLE} TO %I', current_user);
            END IF;
            EXECUTE format('GRANT USAGE ON SCHEMA %I TO {ROLE}', current_schema());
        END $$
        """
    )

"""Commands of an operator that change the database: keys and tenants."""

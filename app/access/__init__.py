"""Who may come in: API keys, their scopes and tenants."""

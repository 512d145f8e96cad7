"""The one way out to addresses that tenants choose: webhooks, registries, stores (docs/security.md)."""

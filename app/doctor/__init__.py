"""Is everything that the service needs there, and if not, what to do: ``salience-audit doctor``."""

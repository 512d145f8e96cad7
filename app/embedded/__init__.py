"""The embedded default: Postgres and Valkey of our own, and the processes of the service under one supervisor."""

"""The workers: maps, views and measures on torch, fed by Celery."""

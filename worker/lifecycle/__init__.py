"""The worker process: Celery's application and what happens when it starts and stops."""

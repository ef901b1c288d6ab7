"""The Celery worker: thin tasks that supervise a pipeline process, check data sets and recover what was lost."""

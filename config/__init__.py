import os

# Celery's command imports config.celery and nothing before it, and that reads settings at once.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

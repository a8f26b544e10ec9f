"""The stages as Celery tasks: claim a batch, work it, end.

A module a queue, named like it: a worker imports those of its own queues (config/celery.py), so
that one which polls carries neither google-genai nor a video decoder.
"""

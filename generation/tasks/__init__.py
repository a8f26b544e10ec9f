"""The stages as Celery tasks: claim a batch, work it, end.

A module a queue (config/stages.py): a worker imports those of its own queues, so
that one which polls carries neither google-genai nor a video decoder.
"""

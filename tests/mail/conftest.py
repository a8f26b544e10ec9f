"""A real SMTP server on loopback, and a worker that hands mails over to it."""

from tests.support.mails import certificate, post

__all__ = ["certificate", "post"]

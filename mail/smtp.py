"""Django's SMTP backend, with one addition: another thread can make it end.

A socket's time-out is for each read. A server that sends a byte now and then, or lines without end,
would hold its thread for hours.
"""

from __future__ import annotations

import contextlib
import smtplib
import socket
from functools import partial
from typing import Any, cast

from django.core.mail.backends.smtp import EmailBackend


class _Plain(smtplib.SMTP):
    def __init__(self, *address: Any, noted: list[smtplib.SMTP], **options: Any) -> None:
        noted.append(self)  # before it connects: the greeting may be what never ends
        super().__init__(*address, **options)


class _Tls(smtplib.SMTP_SSL):
    def __init__(self, *address: Any, noted: list[smtplib.SMTP], **options: Any) -> None:
        noted.append(self)
        super().__init__(*address, **options)


class SmtpBackend(EmailBackend):
    """For one mail, in one thread. Another thread may call ``cut``."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._noted: list[smtplib.SMTP] = []

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        """Django calls it with host, port and options, and asks nothing else of it."""
        made = partial(_Tls if self.use_ssl else _Plain, noted=self._noted)
        return cast("type[smtplib.SMTP]", made)

    def cut(self) -> None:
        """End whatever is read or written at the moment."""
        for client in self._noted:
            with contextlib.suppress(OSError, AttributeError):  # closed, or not connected yet
                # not the TLS socket's own, which takes away what its thread is using
                socket.socket.shutdown(cast("socket.socket", client.sock), socket.SHUT_RDWR)

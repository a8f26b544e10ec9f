"""A real SMTP server on loopback, and a worker that hands mails over to it."""

from __future__ import annotations

import asyncio
import datetime as dt
import email
import ipaddress
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import default as modern
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.db.models.functions import Now

from mail import outbox
from mail.kinds import Kind
from mail.models import Mail
from mail.server import parse
from mail.stage import MailStage
from work.engine import Engine

USER, PASSWORD = "reelmint", "hunter2-hunter2"
OK = "250 OK"
CODE = "493817"


class Office:
    """What the server does with what it is given; each answer can be another one."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.to: list[str] = []
        self.answers: dict[str, str] = {}
        self.delay = 0.0  # seconds before a mail is answered
        self.logged_in: list[bool] = []
        self.over_tls: list[bool] = []
        # aiosmtpd looks for these names
        vars(self).update(handle_RCPT=self.reader_named, handle_DATA=self.mail_given)

    async def reader_named(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, _: list[str]
    ) -> str:
        answer = self.answers.get("RCPT", OK)
        if answer == OK:
            envelope.rcpt_tos.append(address)
        return answer

    async def mail_given(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        await asyncio.sleep(self.delay)
        answer = self.answers.get("DATA", OK)
        if answer == OK:
            assert isinstance(envelope.content, bytes)
            self.taken.append(email.message_from_bytes(envelope.content, policy=modern))
            self.to += envelope.rcpt_tos
            self.over_tls.append(session.ssl is not None)
            self.logged_in.append(bool(session.authenticated))
        return answer

    def log_in(self, server: Any, session: Any, envelope: Any, how: str, data: Any) -> AuthResult:
        right = LoginPassword(USER.encode(), PASSWORD.encode())
        return AuthResult(success=data == right, handled=data == right)


class Post:
    """An outbox, a worker and a server that is real. ``url`` says how the worker gets there."""

    def __init__(self, port: int, settings: Any) -> None:
        self.port, self.settings = port, settings
        self.office = Office()
        self.engine = Engine()
        self.controller: Controller | None = None
        self.patience, self.longest = 1.5, 3.0

    def open(self, **options: Any) -> None:
        """Let the server answer; the worker speaks to it in the open."""
        self.controller = Controller(self.office, hostname="127.0.0.1", port=self.port, **options)
        self.controller.start()
        self.use()

    def open_tls(self, context: ssl.SSLContext) -> None:
        """TLS from the first byte on; ``use`` has to be told."""
        self.open(ssl_context=context)

    def use(self, scheme: str = "smtp", user: str = "", query: str = "") -> None:
        """The worker's EMAIL_URL, without a server at its end unless one was opened."""
        at = f"{user}@" if user else ""
        self.settings.MAIL_SERVER = parse(f"{scheme}://{at}localhost:{self.port}{query}")
        self.settings.MAIL_FROM = "Reelmint <no-reply@example.com>"

    def queue(self, to: str = "alice@example.com", **named: Any) -> Mail:
        return outbox.queue(Kind.VERIFY, to, {"code": CODE}, **named)

    def work(self) -> int:
        """One pass of the stage over what is due."""
        return self.engine.run(self.stage(), seconds=0.0)

    def stage(self) -> MailStage:
        return MailStage(self.settings.MAIL_SERVER, self.patience, self.longest)

    def worked(self, mail: Mail) -> Mail:
        """The row after one more try, which is due now."""
        due_now(mail)
        self.work()
        mail.refresh_from_db()
        return mail

    def close(self) -> None:
        if self.controller is not None:
            self.controller.stop()
        self.engine.close()


def due_now(mail: Mail) -> None:
    Mail.objects.filter(pk=mail.pk, state="queued").update(next_attempt_at=Now())


@pytest.fixture
def post(free_port: int, settings: Any) -> Iterator[Post]:
    """No server yet: ``open`` starts one."""
    found = Post(free_port, settings)
    yield found
    found.close()


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """The server's TLS, by an authority that this process trusts from now on."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    names: list[x509.GeneralName] = [
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    ]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = tmp_path / "public.pem", tmp_path / "private.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(public))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return context

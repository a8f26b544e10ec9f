"""Which addresses are one mailbox, and which anybody makes by the hundred."""

from __future__ import annotations

import pytest

from signup import mailboxes


@pytest.mark.parametrize(
    ("address", "mailbox"),
    [
        ("ada@example.com", "ada@example.com"),
        ("Ada@Example.COM", "ada@example.com"),
        ("ada+1@example.com", "ada@example.com"),
        ("ada+1+2@example.com", "ada@example.com"),
        ("a.d.a@example.com", "a.d.a@example.com"),
        ("a.d.a+shop@gmail.com", "ada@gmail.com"),
        ("A.da@GoogleMail.com", "ada@gmail.com"),
        ('"ada"@example.com', "ada@example.com"),
        ('"a\\d\\a+x"@example.com', "ada@example.com"),
        ('"ada@home"@example.com', "ada@home@example.com"),
        ("+tag@example.com", "@example.com"),
        ("ada@münchen.example", "ada@xn--mnchen-3ya.example"),
        ("ada@XN--MNCHEN-3YA.example", "ada@xn--mnchen-3ya.example"),
        ("\u212aim@example.com", "kim@example.com"),  # the Kelvin sign
        ("\u017fam@example.com", "sam@example.com"),  # a long s
        (f"ada@{'x' * 70}.example", f"ada@{'x' * 70}.example"),  # no label of a host has as many
        ("ada@[127.0.0.1]", "ada@[127.0.0.1]"),
    ],
)
def test_one_mailbox(address: str, mailbox: str) -> None:
    assert mailboxes.normalised(address) == mailbox
    assert mailboxes.digest(address) == mailboxes.digest(mailbox)
    assert len(mailboxes.digest(address)) == 64


@pytest.mark.parametrize(
    ("address", "disposable"),
    [
        ("ada@mailinator.com", True),
        ("ada@MAILINATOR.com", True),
        ("ada+1@anything.mailinator.com", True),
        ("ada@mailinator.example", False),
        ("ada@gmail.com", False),
        ("ada@example.com", False),
        ("mailinator.com@example.com", False),
    ],
)
def test_disposable(address: str, disposable: bool) -> None:
    assert mailboxes.is_disposable(address) is disposable

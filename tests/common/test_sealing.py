"""Secrets that are stored sealed, and what a rotation of SECRET_KEY does to them."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.fernet import Fernet, InvalidToken
from hypothesis import given
from hypothesis import strategies as st

from common import sealing
from common.sealing import DoesNotOpenError, is_newest, open_sealed, seal, seal_anew

SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


@pytest.fixture(autouse=True)
def _keys(settings: Any) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "first", []


@given(st.text(st.characters(codec="utf-8")))
def test_what_was_sealed_opens_and_shows_nothing(secret: str) -> None:
    sealed = seal(secret)
    assert open_sealed(sealed) == secret
    assert sealed.isascii()
    assert len(secret) < 8 or secret not in sealed
    assert seal(secret) != sealed  # two equal secrets do not look equal


def test_a_rotation_and_its_end(settings: Any) -> None:
    old = seal(SECRET)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "second", ["first"]
    assert open_sealed(old) == SECRET
    assert (is_newest(old), is_newest(seal(SECRET))) == (False, True)
    anew = seal_anew(old)
    settings.SECRET_KEY_FALLBACKS = []
    assert open_sealed(anew) == SECRET
    with pytest.raises(DoesNotOpenError):
        open_sealed(old)
    with pytest.raises(DoesNotOpenError):
        seal_anew(old)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "third", ["second", "first"]
    assert open_sealed(old) == open_sealed(anew) == SECRET


def test_whoever_has_the_new_key_first_may_seal_for_those_who_have_it_as_a_fallback(
    settings: Any,
) -> None:
    """Step 3 of docs/rotation.md: processes that are restarted one after another."""
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "second", ["first"]
    sealed = seal(SECRET)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "first", ["second"]
    assert open_sealed(sealed) == SECRET


@pytest.mark.parametrize("change", ["", "x", "gAAAAA", "ä", "\ud800", "\x00", SECRET])
def test_what_nobody_sealed_does_not_open_and_its_error_says_nothing(change: str) -> None:
    for found in (open_sealed, seal_anew):
        with pytest.raises(DoesNotOpenError) as caught:
            found(change)
        assert str(caught.value) == "no key opens it"
        assert caught.value.__suppress_context__
    assert not is_newest(change)


def test_a_changed_byte_does_not_open() -> None:
    sealed = seal(SECRET)
    for place in range(0, len(sealed) - 4, 7):
        other = "A" if sealed[place] != "A" else "B"
        with pytest.raises(DoesNotOpenError):
            open_sealed(sealed[:place] + other + sealed[place + 1 :])


def test_neither_the_key_itself_nor_that_of_another_use_opens_it() -> None:
    """SECRET_KEY signs links, too, and each use has a key of its own."""
    sealed = seal(SECRET).encode()
    key = Fernet(base64.urlsafe_b64encode(sealing._derived("first")))
    assert key.decrypt(sealed).decode() == SECRET
    padded = base64.urlsafe_b64encode(b"first".ljust(32, b"\0"))
    with pytest.raises(InvalidToken):
        Fernet(padded).decrypt(sealed)


def test_it_is_known_how_long_it_gets() -> None:
    """Columns are texts without a limit; a secret takes 200 bytes or so of a row."""
    assert len(seal(SECRET)) < 200

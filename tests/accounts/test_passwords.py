"""A password that Unicode can spell in several ways is one password, at every door."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher, check_password
from django.core.management import call_command
from django.test import Client

from accounts import passwords
from accounts.models import User
from tests.console.test_reset import link
from tests.support.console import browser
from tests.support.people import Person, inside, make_person, make_staff

# one of each script that composes in a way of its own, and some that only order their marks
WORDS = {
    "Spanish": "contraseña-larga-7",
    "German": "Müßiggänger-Straße",
    "Vietnamese": "mật-khẩu-của-tôi",
    "Korean": "비밀번호는길다입니다",
    "Hindi": "क़ख़ग़ज़ड़ढ़फ़य़-पासवर्ड",
    "Greek": "ᾂὴκωδικὸς-ἐμός",
    "Hebrew": "שּׁלום-סיסמה-אָ",
    "marks out of order": "sentence-a\u0301\u0316\u0327-b\u0323\u0307",
    "singletons": "Å\u2126\u212a-angstrom-ohm",
}
NO_OTHER = "ﬁve-½-cups"  # of compatibility alone: NFKC would change it, and it is another password


def forms(word: str) -> list[str]:
    """Canonically equivalent spellings: both normal forms, as written, and one between them."""
    composed = unicodedata.normalize("NFC", word)
    parts = unicodedata.normalize("NFD", word)
    middle = len(word) // 2
    between = composed[:middle] + unicodedata.normalize("NFD", composed[middle:])
    return list(dict.fromkeys((composed, parts, word, between)))


PAIRS = [
    pytest.param(one, other, id=f"{script}-{i}-{j}")
    for script, word in WORDS.items()
    for i, one in enumerate(forms(word))
    for j, other in enumerate(forms(word))
]


def by_api(password: str) -> None:
    body = {"username": "dora", "email": "dora@example.com", "password": password}
    assert Client().post("/api/register/", body, "application/json").status_code == 201


def by_command(password: str) -> None:
    arguments = ["dora@example.com", "--username", "dora", "--password", password]
    call_command("create_account", *arguments, stdout=StringIO())


def by_staff_command(password: str) -> None:
    arguments = ["dora@example.com", "--username", "dora", "--password", password]
    call_command("create_staff", *arguments, "--role", "support", stdout=StringIO())


def by_superusers_page(password: str) -> None:
    sent = {"username": "dora", "email": "dora@example.com", "role": "support"}
    sent |= {"password1": password, "password2": forms(password)[-1], "usable_password": "true"}
    answer = inside(make_staff()).post("/admin/accounts/user/add/", sent)
    assert answer.status_code == 302, answer.context["adminform"].errors


def by_change_of_anothers(password: str) -> None:
    user = make_staff("support", "dora")
    sent = {"password1": password, "password2": forms(password)[-1], "usable_password": "true"}
    path = f"/admin/accounts/user/{user.pk}/password/"
    assert inside(make_staff()).post(path, sent).status_code == 302


def by_change_of_ones_own(password: str) -> None:
    user = make_staff("support", "dora")
    user.set_password("the-former-sentence-é")
    user.save()
    sent = {"old_password": "the-former-sentence-e\u0301", "new_password1": password}
    sent["new_password2"] = forms(password)[-1]
    assert inside(user).post("/admin/password_change/", sent).status_code == 302


def by_change_over_the_api(password: str) -> None:
    former = "the-former-sentence-é"
    by_api(former)
    login = {"username": "dora", "password": former}
    token = Client().post("/api/login/", login, "application/json").json()["token"]
    body = {"current_password": "the-former-sentence-e\u0301", "new_password": password}
    headers = {"Authorization": f"Bearer {token}"}
    answer = Client().post("/api/password/", body, "application/json", headers=headers)
    assert answer.status_code == 200, answer.content


def by_sign_up(password: str) -> None:
    Client().post("/sign-up/", {"email": "dora@example.com", "password": password})
    assert User.objects.update(username="dora") == 1


def by_the_persons_page(password: str) -> None:
    former = "the-former-sentence-é"
    dora = make_person("dora").user
    dora.set_password(former)
    dora.save()
    sent = {"current_password": unicodedata.normalize("NFD", former), "new_password": password}
    assert browser(dora).post("/me/password/", sent).status_code == 303


def by_a_mailed_link(password: str) -> None:
    make_person("dora")
    client = Client()
    path = link(client, "dora@example.com")
    assert client.post(path, {"new_password": password}).status_code == 303


def by_manager(password: str) -> None:
    User.objects.create_user("dora", "dora@example.com", password)


SETTERS = [
    *(by_api, by_command, by_staff_command, by_superusers_page, by_change_of_anothers),
    *(by_change_of_ones_own, by_change_over_the_api, by_manager),
    *(by_sign_up, by_the_persons_page, by_a_mailed_link),
]


@pytest.mark.parametrize("setter", SETTERS)
def test_every_door_that_sets_one(setter: Callable[[str], None], settings: Any) -> None:
    settings.ROOT_URLCONF = "config.urls"
    settings.ALLOW_EMULATOR, settings.VERTEX_BASE_URL = True, "http://127.0.0.1:9"  # mails go out
    setter(forms(WORDS["Vietnamese"])[1])
    user = User.objects.get(username="dora")
    for spelling in forms(WORDS["Vietnamese"]):
        assert user.check_password(spelling)
    made = PBKDF2PasswordHasher()
    composed = unicodedata.normalize("NFC", WORDS["Vietnamese"])
    assert made.verify(composed, user.password), "the release before reads it, too"


@pytest.mark.parametrize(("kept", "typed"), PAIRS)
def test_each_spelling_against_each_other(kept: str, typed: str) -> None:
    user = User(username="dora", email="dora@example.com")
    user.set_password(kept)
    assert user.check_password(typed)
    assert not user.check_password(typed[:-1])


@pytest.mark.parametrize("script", WORDS)
def test_every_door_that_checks_one(script: str, settings: Any, alice: Person) -> None:
    settings.ROOT_URLCONF = "config.urls"
    settings.RATE_LIMIT_LOGINS = 100
    staff = make_staff("support", "dora")
    for kept in forms(WORDS[script]):
        for user in (staff, alice.user):
            user.set_password(kept)
            user.save()
        for typed in forms(WORDS[script]):
            body = {"username": "alice", "password": typed}
            answer = Client().post("/api/login/", body, "application/json")
            assert answer.status_code == 200, (kept, typed)
            page = Client().post("/admin/login/", {"username": "dora", "password": typed})
            assert page.status_code == 302, (kept, typed)
            page = Client().post("/log-in/", {"identity": "alice", "password": typed})
            assert page.status_code == 303, (kept, typed)


@pytest.mark.parametrize("script", WORDS)
def test_a_hash_of_before_opens_to_what_it_was_made_of(script: str) -> None:
    """And to every spelling, if it was made of a normal form, as nearly all are."""
    normal = [unicodedata.normalize(form, WORDS[script]) for form in ("NFC", "NFD")]
    for kept in forms(WORDS[script]):
        before = PBKDF2PasswordHasher().encode(kept, "salt-of-before")
        for typed in forms(WORDS[script]):
            assert check_password(typed, before) == (typed == kept or kept in normal)


def test_what_only_looks_alike_is_another() -> None:
    user = User()
    user.set_password(NO_OTHER)
    assert user.check_password(NO_OTHER)
    assert not user.check_password(unicodedata.normalize("NFKC", NO_OTHER))


def test_a_refusal_takes_as_many_hashes_whoever_was_meant(
    alice: Person, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted, as a clock would say it only on a quiet machine."""
    settings.ROOT_URLCONF = "config.urls"
    settings.RATE_LIMIT_LOGINS = 100
    alone = User.objects.create(username="alone", email="alone@example.com")
    alone.set_unusable_password()
    alone.save()
    counted: list[str] = []
    encode = PBKDF2PasswordHasher.encode

    def counting(self: Any, password: str, *more: Any) -> str:
        counted.append(password)
        return encode(self, password, *more)

    Client().post("/api/login/", {"username": "x", "password": "y"}, "application/json")
    monkeypatch.setattr(PBKDF2PasswordHasher, "encode", counting)
    for guess, most in (("plain", 1), ("é", 2), ("e\u0301", 2), ("éo\u0301", 3)):
        took = set()
        for name in ("alice", "nobody", "alone"):
            counted.clear()
            body = {"username": name, "password": guess}
            answer = Client().post("/api/login/", body, "application/json")
            assert answer.status_code == 401
            took.add(len(counted))
        assert took == {most}, guess


def test_a_length_is_looked_at_before_anything_else() -> None:
    longest = "a" * passwords.MAX_PASSWORD
    user = User()
    user.set_password(longest)
    assert user.check_password(longest)
    assert not user.check_password(longest + "a")
    with pytest.raises(ValueError, match="at most 4096"):
        user.set_password(longest + "a")


def test_a_new_one_is_judged_as_it_will_be_kept(api: Callable[..., Any]) -> None:
    """Four letters are four, however they were typed."""
    body = {"username": "dora", "email": "dora@example.com", "password": "éèêë"}
    for spelling in forms(body["password"]):
        answer = api().post("/api/register/", json=body | {"password": spelling})
        assert answer.status_code == 400
        assert "too short" in json.dumps(answer.json())
    assert not User.objects.exists()

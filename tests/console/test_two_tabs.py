"""Two tabs of one browser at once: what one does is no harm to the other."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from accounts.models import ConsoleSession
from console.middleware import COOKIE, ConsoleSessionMiddleware
from tests.support.console import browser, session_of
from tests.support.people import Person


def test_an_ended_session_takes_no_newer_cookie_away(alice: Person, settings) -> None:
    """A page that asks every second may do so just while another tab gets its next cookie."""
    client = browser(alice.user)
    ConsoleSession.objects.all().delete()
    assert client.get(f"/c/{alice.account.pk}/").status_code == 303
    assert client.cookies[COOKIE].value


def test_one_that_ends_meanwhile_neither(alice: Person) -> None:
    def ended(request: HttpRequest) -> HttpResponse:
        request.session["said"] = "something"
        ConsoleSession.objects.all().delete()
        return HttpResponse()

    request = RequestFactory().get("/")
    request.COOKIES[COOKIE] = str(session_of(alice.user).session_key)
    assert COOKIE not in ConsoleSessionMiddleware(ended)(request).cookies
    assert not ConsoleSession.objects.exists()


def test_who_is_in_by_now_is_led_on(alice: Person) -> None:
    """A tab that asked with the former cookie was sent to log in."""
    client, home = browser(alice.user), f"/c/{alice.account.pk}/"
    answer = client.get("/log-in/", {"next": home})
    assert (answer.status_code, answer["Location"]) == (303, home)
    assert client.get("/log-in/?next=//evil.example")["Location"] == "/c/"
    told = client.get("/log-in/?done=password")  # whoever's it is
    assert "Your password is set." in told.content.decode()

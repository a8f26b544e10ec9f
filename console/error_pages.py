"""The console's error pages: a sentence, and one thing to do next."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import AccountSuspended, ApiError
from common.telemetry import request_id
from console import next_page

TITLES: dict[int, str | Promise] = {
    HTTPStatus.BAD_REQUEST: gettext_lazy("Not understood"),
    HTTPStatus.PAYMENT_REQUIRED: gettext_lazy("Not enough credits"),
    HTTPStatus.FORBIDDEN: gettext_lazy("Not allowed"),
    HTTPStatus.NOT_FOUND: gettext_lazy("Not found"),
    HTTPStatus.TOO_MANY_REQUESTS: gettext_lazy("Wait a moment"),
    HTTPStatus.SERVICE_UNAVAILABLE: gettext_lazy("Back in a moment"),
}

WAITING = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    sentence = _("This page cannot be asked for what stands in the address.")
    return page(request, HTTPStatus.BAD_REQUEST, _("Not understood"), sentence)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return page(request, HTTPStatus.FORBIDDEN, _("Not allowed"), _("You may not do this."))


def not_from_here(request: HttpRequest) -> HttpResponse:
    """A form without its token: another site sent it, or the page is older than the log-in."""
    sentence = _(
        "Nothing was done: you have logged in again since this page was opened, or another site"
        " sent the form. Go “Back” if you want to copy what you typed. Then open the page again."
    )
    link = (_("Open the page again"), next_page.sent_from(request))
    return page(request, HTTPStatus.FORBIDDEN, _("This page is too old"), sentence, link)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    sentence = _("There is no such page, or what it showed is gone.")
    return page(request, HTTPStatus.NOT_FOUND, _("Not found"), sentence)


def server_error(request: HttpRequest) -> HttpResponse:
    sentence = _(
        "Something went wrong on our side. If you have just ordered something, look into your"
        " gallery before you order it again."
    )
    return page(request, HTTPStatus.INTERNAL_SERVER_ERROR, _("Our fault"), sentence)


def without_account(request: HttpRequest) -> HttpResponse:
    sentence = _("This user belongs to no account, so there is nothing to show.")
    return page(request, HTTPStatus.FORBIDDEN, _("No account"), sentence)


def wrong_method(request: HttpRequest, allowed: tuple[str, ...]) -> HttpResponse:
    sentence = _("This address is one step of a form. Open the page that leads to it.")
    response = page(request, HTTPStatus.METHOD_NOT_ALLOWED, _("Not like this"), sentence)
    response.headers["Allow"] = ", ".join(allowed)
    return response


def of_error(request: HttpRequest, error: ApiError) -> HttpResponse:
    """The page of an error in the API's words, for views that have no words of their own."""
    title = str(TITLES.get(error.status_code, _("This did not work")))
    sentence, link = f"{error.detail}.", None
    if isinstance(error, AccountSuspended):
        sentence = _(
            "This account is suspended, so it can neither order nor buy nor make anything. What it"
            " has can still be looked at."
        )
    elif error.status_code in WAITING and request.method == "GET":
        link = (_("Try again"), "")
    response = page(request, error.status_code, title, sentence, link)
    if wait := error.headers.get("Retry-After"):
        response.headers["Retry-After"] = wait
    return response


def page(
    request: HttpRequest,
    status: int,
    title: str,
    sentence: str,
    link: tuple[str, str] | None = None,
) -> HttpResponse:
    """An error page. Its frame needs neither session nor database; ``link`` is its next step.

    For a fault of ours it shows the request's id, which people can give to the support.
    """
    known_as = request_id.current.get() if status >= HTTPStatus.INTERNAL_SERVER_ERROR else ""
    action, address = link or (_("To your account"), reverse("console:start"))
    context = {
        "title": title,
        "action": action,
        "address": address,
        "sentence": sentence,
        "status": int(status),
        "known_as": known_as,
        # empty: the frame would read them from a database that may be away
        "banners": (),
        "messages": (),
    }
    return render(request, "console/error.html", context, status=int(status))

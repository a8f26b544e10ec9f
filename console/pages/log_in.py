"""The way in by a password, and the way out."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from accounts import login
from common.errors import InvalidCredentials, RateLimited
from common.web.client_address import client_address
from console import access, entrance
from console.forms.log_in import LogInForm

DOOR = login.Door("console", lambda user: user.memberships.exists(), "belongs to no account")


@access.public("GET", "POST")
def show(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        form = LogInForm(initial={"next": request.GET.get("next", "")})
        return render(request, "console/log_in.html", {"form": form})
    form = LogInForm(request.POST)
    status, wait = HTTPStatus.OK, ""
    if form.is_valid():
        values = form.cleaned_data
        address = client_address(request)
        try:
            user = login.check(DOOR, values["identity"], values["password"], address)
        except InvalidCredentials:
            form.add_error(None, _("The name or the password is wrong."))
        except RateLimited as error:
            form.add_error(None, _("Too many tries. Wait a moment and try again."))
            status, wait = HTTPStatus.TOO_MANY_REQUESTS, error.headers["Retry-After"]
        else:
            entrance.enter(request, user)
            return access.redirect(request, next_page(request, values["next"]))
    page = render(request, "console/log_in.html", {"form": form}, status=status)
    if wait:
        page.headers["Retry-After"] = wait
    return page


@access.public("POST")
def leave(request: HttpRequest) -> HttpResponse:
    entrance.leave(request)
    return access.redirect(request, reverse("console:log-in"))


def next_page(request: HttpRequest, wanted: str) -> str:
    """``wanted`` if it is a path of our own, else the person's first account."""
    secure = request.is_secure()
    if wanted.startswith("/") and url_has_allowed_host_and_scheme(
        wanted, allowed_hosts=None, require_https=secure
    ):
        return wanted
    return reverse("console:start")

"""Signing up by an e-mail address and a password."""

from __future__ import annotations

import math
from datetime import timedelta
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import login
from accounts.models import User
from common.errors import InvalidCredentials, InvalidRequest, RateLimited
from common.web.client_address import client_address
from console import access, entrance
from console.forms.sign_up import SignUpForm
from signup import registration, step_up

A_MOMENT = timedelta(seconds=30)


@access.public("GET", "POST")
def show(request: HttpRequest) -> HttpResponse:
    """Show and take the form that is also on the landing page. Raises RegistrationClosed."""
    if request.user.is_authenticated:
        return access.redirect(request, reverse("console:start"))
    if not registration.is_open_here():
        raise registration.RegistrationClosed(_("Nobody can sign up here at the moment."))
    if request.method != "POST":
        return _page(request, SignUpForm())
    form = SignUpForm(request.POST)
    if not form.is_valid():
        return _page(request, form)
    values = form.cleaned_data
    try:
        user = registration.register_by_email(
            values["email"], values["password"], client_address(request)
        )
    except InvalidRequest:
        again = _sent_twice(values["email"], values["password"], client_address(request))
        if again is None:
            form.add_error("email", _("This e-mail address is already registered"))
            return _page(request, form)
        user = again
    except RateLimited as error:
        form.add_error(None, _too_many(int(error.headers["Retry-After"])))
        page = _page(request, form, HTTPStatus.TOO_MANY_REQUESTS)
        page.headers["Retry-After"] = error.headers["Retry-After"]
        return page
    entrance.enter(request, user)
    return access.redirect(request, reverse("console:verify"))


def _sent_twice(email: str, password: str, address: str) -> User | None:
    """The user that the same form made a moment ago, by a double click.

    Browsers show the answer to the later click.
    """
    user = login.find_user(email)
    if user is None or timezone.now() - user.date_joined > A_MOMENT or step_up.needs_code(user):
        return None
    try:
        return login.check(step_up.CONSOLE, email, password, address)
    except (InvalidCredentials, RateLimited):
        return None


def _page(request: HttpRequest, form: SignUpForm, status: int = HTTPStatus.OK) -> HttpResponse:
    page = {"form": form, "trial_credits": settings.SIGNUP_CREDITS}
    return render(request, "console/sign_up.html", page, status=status)


def _too_many(seconds: int) -> str:
    minutes = math.ceil(seconds / 60)
    sentence = ngettext(
        "Too many have signed up from your address. Try again in a minute.",
        "Too many have signed up from your address. Try again in %(minutes)d minutes.",
        minutes,
    )
    return sentence % {"minutes": minutes} if minutes > 1 else sentence

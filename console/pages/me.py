"""The person: name, password, e-mail address."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from common.api.base_url import base_url
from common.errors import InvalidCredentials, InvalidRequest, RateLimited
from common.web.client_address import client_address
from console import access, answers, entrance
from console.access import ConsoleRequest
from console.forms.person import NameForm, NewEmailForm, OwnPasswordForm
from mail import mode
from signup import changes
from signup.links import LinkOver

NAME, PASSWORD, EMAIL = "console/me.html", "console/me_password.html", "console/me_email.html"
CONFIRM, OVER = "console/confirm_email.html", "console/link_over.html"


@access.signed_in("GET", "POST")
def show(request: ConsoleRequest) -> HttpResponse:
    if request.method != "POST":
        form = NameForm(initial={"name": request.user.first_name})
        return answers.with_form(request, NAME, form)
    form = NameForm(request.POST)
    if not form.is_valid():
        return answers.with_form(request, NAME, form)
    changes.rename(request.user, form.cleaned_data["name"])
    messages.success(request, _("Saved."))
    return access.redirect(request, reverse("console:me"))


@access.signed_in("GET", "POST")
@access.fresh
def password(request: ConsoleRequest) -> HttpResponse:
    """Change the password. All other browsers are logged out; this one gets a new session."""
    changes.refuse_operators(request.user)
    posted = request.POST if request.method == "POST" else None
    form = OwnPasswordForm(posted, person=request.user)
    if not form.is_valid():
        return answers.with_form(request, PASSWORD, form)
    current, new = form.cleaned_data["current_password"], form.cleaned_data["new_password"]
    try:
        person = changes.change_password(request.user, current, new, client_address(request))
    except InvalidCredentials:
        form.add_error("current_password", _("This is not your password."))
        return answers.with_form(request, PASSWORD, form)
    except RateLimited as error:
        return answers.with_form(request, PASSWORD, form, error)
    entrance.enter(request, person)
    messages.success(request, _("Your password is changed. All other browsers are logged out."))
    return access.redirect(request, reverse("console:me-password"))


@access.signed_in("GET", "POST")
@access.fresh
def email(request: ConsoleRequest) -> HttpResponse:
    """Ask for another address. Nothing changes before the link to it was used."""
    changes.refuse_operators(request.user)
    can_send = mode.can_send()
    if request.method != "POST" or not can_send:
        return answers.with_form(request, EMAIL, NewEmailForm(), can_send=can_send)
    form = NewEmailForm(request.POST)
    if not form.is_valid():
        return answers.with_form(request, EMAIL, form, can_send=can_send)

    def link(token: str) -> str:
        return base_url(request) + reverse("console:confirm-email", args=[token])

    new = form.cleaned_data["new_email"]
    try:
        changes.ask_for_email(request.user, new, link)
    except InvalidRequest:
        form.add_error("new_email", _("Somebody has this address already."))
        return answers.with_form(request, EMAIL, form, can_send=can_send)
    except RateLimited as error:
        return answers.with_form(request, EMAIL, form, error, can_send=can_send)
    said = _("A link is on its way to %(new)s. Your address changes once you have opened it.")
    messages.info(request, said % {"new": new})
    return access.redirect(request, reverse("console:me-email"))


@access.public("GET", "POST")
def confirm_email(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows a button and changes nothing: mail servers open links, too."""
    try:
        new = changes.new_email_of(token)
        if request.method != "POST":
            return access.private(render(request, CONFIRM, {"new": new}))
        changes.confirm_email(token, client_address(request))
    except LinkOver:
        again = reverse("console:me-email")
        return access.private(render(request, OVER, {"again": again}, status=404))
    except InvalidRequest:
        return access.private(render(request, CONFIRM, {"new": new, "taken": True}, status=409))
    if not request.user.is_authenticated:
        return access.private(access.redirect(request, reverse("console:log-in") + "?done=email"))
    messages.success(request, _("The address %(new)s is confirmed.") % {"new": new})
    return access.private(access.redirect(request, reverse("console:me-email")))

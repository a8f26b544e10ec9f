"""A forgotten password: asking for a link, and the page that the link leads to.

The token is in the path of that page. No cache keeps the page, no other site learns its path, and
it loads nothing from elsewhere. The token works once and for an hour, so it is of no use in the
browser's history.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from common.api.base_url import base_url
from common.errors import RateLimited
from common.web.client_address import client_address
from console import access, answers
from console.forms.passwords import SetsPassword
from console.forms.person import EmailForm
from mail import mode
from signup import reset
from signup.links import LinkOver

ASK, SET, OVER = "console/reset.html", "console/reset_set.html", "console/link_over.html"


@access.public("GET", "POST")
def ask(request: HttpRequest) -> HttpResponse:
    can_send = mode.can_send()
    if request.method != "POST" or not can_send:
        sent = "sent" in request.GET
        return answers.with_form(request, ASK, EmailForm(), can_send=can_send, sent=sent)
    form = EmailForm(request.POST)
    if not form.is_valid():
        return answers.with_form(request, ASK, form, can_send=can_send)

    def link(uid: str, token: str) -> str:
        return base_url(request) + reverse("console:reset-set", args=[uid, token])

    try:
        reset.ask(form.cleaned_data["email"], client_address(request), link)
    except RateLimited as error:
        return answers.with_form(request, ASK, form, error, can_send=can_send)
    # not by a message: that would need a session, and a stranger gets none
    return access.redirect(request, reverse("console:reset") + "?sent=1")


@access.public("GET", "POST")
def set_password(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    """GET shows a form and changes nothing: mail servers open links, too."""
    try:
        person = reset.person_of(uid, token)
        form = SetsPassword(request.POST if request.method == "POST" else None, person=person)
        if not form.is_valid():
            proven = person.email_verified_at is not None
            return access.private(answers.with_form(request, SET, form, is_proven=proven))
        reset.set_password(uid, token, form.cleaned_data["new_password"])
    except LinkOver:
        return access.private(
            render(request, OVER, {"again": reverse("console:reset")}, status=404)
        )
    return access.private(access.redirect(request, reverse("console:log-in") + "?done=password"))

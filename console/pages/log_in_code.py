"""The second step of the way in, for people with a second factor."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from common.errors import InvalidCredentials, RateLimited
from common.web.client_address import client_address
from console import access, answers, entrance, half_way, kept, next_page
from console.forms.person import CodeForm
from signup import step_up

TEMPLATE = "console/log_in_code.html"


@access.public("GET", "POST")
def show(request: HttpRequest) -> HttpResponse:
    user = half_way.user_of(request)
    if user is None:
        return access.redirect(request, reverse("console:log-in"))
    if request.method != "POST":
        return answers.with_form(request, TEMPLATE, CodeForm())
    form = CodeForm(request.POST)
    if not form.is_valid():
        return answers.with_form(request, TEMPLATE, form)
    try:
        step_up.check_code(user, form.cleaned_data["code"], client_address(request))
    except InvalidCredentials:
        form.add_error("code", answers.wrong_code())
        return answers.with_form(request, TEMPLATE, form)
    except RateLimited as error:
        return answers.with_form(request, TEMPLATE, form, error)
    wanted, text = half_way.wanted(request), half_way.text(request)
    entrance.enter(request, user)
    kept.put(request, user, text)
    return access.redirect(request, next_page.of(request, wanted))

"""The way in by a password, and the way out."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import login
from common.errors import InvalidCredentials, RateLimited
from common.web.client_address import client_address
from console import access, answers, entrance, half_way, kept, next_page
from console.forms.log_in import LogInForm
from signup import step_up

TEMPLATE = "console/log_in.html"
# What a person who is not logged in has just done; a message would need a session.
DONE = {
    "password": gettext_lazy("Your password is set. Log in with it."),
    "email": gettext_lazy("Your new e-mail address is confirmed."),
}


@access.public("GET", "POST")
def show(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        wanted = request.GET.get("next", "")
        done = DONE.get(request.GET.get("done", ""), "")
        if request.user.is_authenticated and not done:  # by now, in another tab
            return access.redirect(request, next_page.of(request, wanted))
        form = LogInForm(initial=_given(request, wanted))
        return answers.with_form(request, TEMPLATE, form, done=done)
    form = LogInForm(request.POST)
    if not form.is_valid():
        return answers.with_form(request, TEMPLATE, form)
    values, address = form.cleaned_data, client_address(request)
    try:
        user = login.check(step_up.CONSOLE, values["identity"], values["password"], address)
    except InvalidCredentials:
        form.add_error(None, _("The name or the password is wrong."))
        return answers.with_form(request, TEMPLATE, form)
    except RateLimited as error:
        return answers.with_form(request, TEMPLATE, form, error)
    wanted, text = next_page.of(request, values["next"] or ""), values["kept"] or ""
    if step_up.needs_code(user):
        half_way.begin(request, user, wanted, text)
        return access.redirect(request, reverse("console:log-in-code"))
    entrance.enter(request, user)
    kept.put(request, user, text)
    return access.redirect(request, wanted)


def _given(request: HttpRequest, wanted: str) -> dict[str, str]:
    """What the form carries, also for a person who comes back from the code to the password."""
    if wanted or half_way.user_of(request) is None:
        return {"next": wanted}
    return {"next": half_way.wanted(request), "kept": half_way.text(request)}


@access.public("POST")
def leave(request: HttpRequest) -> HttpResponse:
    entrance.leave(request)
    return access.redirect(request, reverse("console:log-in"))

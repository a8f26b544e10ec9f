"""A person proves once more who they are, before a sensitive step."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.translation import gettext as _

from common.errors import InvalidCredentials, RateLimited
from common.web.client_address import client_address
from console import access, answers, entrance, next_page
from console.access import ConsoleRequest
from console.forms.person import ConfirmForm
from signup import step_up

TEMPLATE = "console/confirm.html"


@access.signed_in("GET", "POST")
def show(request: ConsoleRequest) -> HttpResponse:
    user, with_code = request.user, step_up.needs_code(request.user)
    if request.method != "POST":
        wanted = {"next": request.GET.get("next", "")}
        return answers.with_form(
            request, TEMPLATE, ConfirmForm(initial=wanted, with_code=with_code)
        )
    form = ConfirmForm(request.POST, with_code=with_code)
    if not form.is_valid():
        return answers.with_form(request, TEMPLATE, form)
    values = form.cleaned_data
    try:
        step_up.confirm(user, values["password"], values.get("code", ""), client_address(request))
    except InvalidCredentials:
        form.add_error(None, _("This is not it."))
        return answers.with_form(request, TEMPLATE, form)
    except RateLimited as error:
        return answers.with_form(request, TEMPLATE, form, error)
    request.session.cycle_key()  # it may do more from here on than the cookie of before
    entrance.confirm_now(request)
    return access.redirect(request, next_page.of(request, values["next"]))

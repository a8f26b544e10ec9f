"""The second factor: on, off, and its recovery codes, which are shown once.

A POST that asks for codes answers 303. The page that it leads to makes and shows them, once: so no
row and no session has them in clear, and a reload sends nothing twice.
"""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import second_factor
from common.errors import InvalidCredentials, RateLimited
from common.web.client_address import client_address
from console import access, answers
from console.access import ConsoleRequest
from console.forms.person import CodeForm
from signup import changes

ENROLLING = "enrolling"  # key of the session: the device whose key this browser was shown
CODES = "recovery_codes"  # likewise: which codes the next page makes, FIRST or ANEW
FIRST, ANEW = "first", "anew"
TEMPLATE, SHOWN = "console/second_factor.html", "console/recovery_codes.html"


@access.signed_in("GET", "POST")
@access.fresh
def show(request: ConsoleRequest) -> HttpResponse:
    changes.refuse_operators(request.user)
    if not second_factor.has_one(request.user):
        return _turn_on(request)
    if request.method != "POST":
        return render(request, TEMPLATE, {"has_one": True})
    if "off" in request.POST:
        changes.turn_off_second_factor(request.user)
        messages.success(request, _("The second factor is off. Your password is enough to log in."))
    return access.redirect(request, reverse("console:me-second-factor"))


@access.signed_in("GET", "POST")
@access.fresh
def recovery_codes(request: ConsoleRequest) -> HttpResponse:
    changes.refuse_operators(request.user)
    if not second_factor.has_one(request.user):
        return access.redirect(request, reverse("console:me-second-factor"))
    if request.method == "POST":
        request.session[CODES] = ANEW
        return access.redirect(request, reverse("console:me-recovery-codes"))
    codes: list[str] = []
    if request.method == "GET" and (which := request.session.pop(CODES, None)) is not None:
        codes = changes.new_recovery_codes(request.user, tell=which == ANEW)
    return access.private(render(request, SHOWN, {"codes": codes}))


def _turn_on(request: ConsoleRequest) -> HttpResponse:
    device = changes.begin_second_factor(request.user, request.session.get(ENROLLING))
    request.session[ENROLLING] = device.pk
    if request.method == "POST" and "off" in request.POST:  # it was turned off in another tab
        return access.redirect(request, reverse("console:me-second-factor"))
    form = CodeForm(request.POST if request.method == "POST" else None)
    limited = None
    if form.is_valid():
        code, address = form.cleaned_data["code"], client_address(request)
        try:
            changes.turn_on_second_factor(request.user, device, code, address)
        except InvalidCredentials:
            form.add_error("code", answers.wrong_code())
        except RateLimited as error:
            limited = error
        else:
            del request.session[ENROLLING]
            request.session[CODES] = FIRST
            messages.success(request, _("The second factor is on."))
            return access.redirect(request, reverse("console:me-recovery-codes"))
    qr, key = second_factor.qr_squares(device), second_factor.typed_key(device)
    return access.private(answers.with_form(request, TEMPLATE, form, limited, qr=qr, key=key))

"""The six digits that prove that an e-mail address is one's own."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from common.errors import RateLimited
from common.web.client_address import client_address
from console import access
from console.access import ConsoleRequest
from console.forms.sign_up import CodeForm
from console.templatetags.console import in_credits
from mail import mode
from signup import verification
from signup.trial import Outcome, WhyNot
from signup.verification import CodeRefused, NoMail


@access.signed_in("GET", "POST")
def show(request: ConsoleRequest) -> HttpResponse:
    if request.user.email_verified_at is not None:
        return access.redirect(request, reverse("console:start"))
    form = CodeForm(request.POST) if request.method == "POST" else CodeForm()
    if form.is_valid():
        code, address = form.cleaned_data["code"], client_address(request)
        try:
            verified = verification.verify(request.user, code, address)
        except CodeRefused as error:
            form.add_error("code", error.details["code"])
        else:
            if verified.trial.why_not != WhyNot.VERIFIED_BEFORE:  # a second click, told already
                messages.success(request, in_words(verified.trial))
            return access.redirect(request, reverse("console:start"))
    page = {
        "form": form,
        "is_sent": verification.is_on_its_way(request.user),
        "can_send": mode.can_send(),
        "is_emulated": mode.is_emulated(),
    }
    return render(request, "console/verify.html", page)


@access.signed_in("POST")
def resend(request: ConsoleRequest) -> HttpResponse:
    try:
        if verification.ask(request.user):
            sentence = _("A new code is on its way to %(address)s.")
            messages.success(request, sentence % {"address": request.user.email})
    except RateLimited as error:
        messages.warning(request, str(error.detail))
    except NoMail:
        messages.warning(request, _("No e-mail can be sent from here. Ask support to verify you."))
    return access.redirect(request, reverse("console:verify"))


def in_words(trial: Outcome) -> str:
    """What came of a verification, and why no trial credits came with it."""
    if trial.credits:
        sentence = _("Your e-mail address is verified, and %(credits)s trial credits are yours.")
        return sentence % {"credits": in_credits(trial.credits)}
    reasons = {
        WhyNot.HAD_THEIRS: _("Your account had its free credits before, so there are none now."),
        WhyNot.MAILBOX: _("This mailbox had its trial credits already, so there are none now."),
        WhyNot.DISPOSABLE: _("Addresses of this kind get no trial credits."),
        WhyNot.DAY: _("All trial credits of today are given away, so there are none now."),
        WhyNot.ADDRESS: _(
            "Others behind your internet address had trial credits today, so there are none now."
        ),
    }
    verified = _("Your e-mail address is verified.")
    reason = reasons.get(trial.why_not) if trial.why_not else None
    return f"{verified} {reason}" if reason else verified

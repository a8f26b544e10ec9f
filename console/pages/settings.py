"""An account's name, and for how long its files and prompts are kept."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import choices
from accounts.models import Account
from console import access
from console.access import ConsoleRequest
from console.forms.settings import AccountForm


@access.of_account("GET", "POST")
def show(request: ConsoleRequest, account: Account) -> HttpResponse:
    if request.method == "POST":
        return _save(request, account)
    return render(request, "console/settings.html", {"form": AccountForm(account)})


def _save(request: ConsoleRequest, account: Account) -> HttpResponse:
    access.refuse_suspended(account)
    form = AccountForm(account, request.POST)
    if not form.is_valid():
        return render(request, "console/settings.html", {"form": form})
    try:
        choices.choose(account, form.wanted(), form.cleaned_data["seen"])
    except (choices.ChangedMeanwhile, choices.KeptTooLong):
        sentence = _("Somebody changed these settings meanwhile. Nothing of yours was saved.")
        messages.warning(request, sentence)
    else:
        messages.success(request, _("Saved."))
    return access.redirect(request, reverse("console:settings", args=[account.pk]))

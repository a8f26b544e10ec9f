"""The mailbox of emulated mode: mails that went nowhere else, for trying the service out."""

from __future__ import annotations

import functools

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render

from console import access
from console.access import View
from mail import mode
from mail.models import Mail

NEWEST = 50


def emulated(view: View) -> View:
    """Make the page a 404 outside of emulated mode: it shows everybody's codes to everybody."""

    @functools.wraps(view)
    def answer(request: HttpRequest, *args: str, **options: str) -> HttpResponseBase:
        if not mode.is_emulated():
            raise Http404
        return view(request, *args, **options)

    return answer


@emulated
@access.public("GET")
def show(request: HttpRequest) -> HttpResponse:
    """The newest mails, also those that no worker has taken yet."""
    mails = Mail.objects.defer("html").order_by("-created_at", "-id")[:NEWEST]
    return access.private(render(request, "console/mailbox.html", {"mails": mails}))


@emulated
@access.public("GET")
def show_one(request: HttpRequest, mail: str) -> HttpResponse:
    found = get_object_or_404(Mail.objects.defer("html"), pk=access.parse_or_404(mail))
    return access.private(render(request, "console/mailbox_mail.html", {"mail": found}))

"""The way to the person's first account."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse

from console import access, error_pages
from console.access import ConsoleRequest


@access.signed_in("GET")
def show(request: ConsoleRequest) -> HttpResponse:
    """Lead to it by a 303. Staff without an account are told so."""
    first = request.user.memberships.order_by("pk").values_list("account_id", flat=True).first()
    if first is None:
        return error_pages.without_account(request)
    return access.redirect(request, reverse("console:home", args=[first]))

"""``/``: what this is and what it costs, for people who have never been here."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from common.api.base_url import base_url
from console import access
from console.forms.sign_up import SignUpForm
from console.price_list import price_list
from payments.mode import payments_available
from signup import registration


@access.public("GET")
def show(request: HttpRequest) -> HttpResponse:
    page = {
        "form": SignUpForm(),
        "is_open": registration.is_open_here(),
        "prices": price_list(),
        "payments_available": payments_available(),
        "trial_credits": settings.SIGNUP_CREDITS,
        "base_url": base_url(request),
    }
    return render(request, "console/landing.html", page)

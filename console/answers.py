"""Answers that several pages give."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from common.errors import RateLimited

TOO_MANY = 429


def with_form(
    request: HttpRequest,
    template: str,
    form: forms.Form,
    limited: RateLimited | None = None,
    **context: Any,
) -> HttpResponse:
    """A page around ``form``; 429 when a limit refused what was sent."""
    if limited is None:
        return render(request, template, {"form": form, **context})
    wait = limited.headers["Retry-After"]
    sentence = _("Too many tries. Wait %(wait)s seconds and try again.")
    form.add_error(None, sentence % {"wait": wait})
    page = render(request, template, {"form": form, **context}, status=TOO_MANY)
    page.headers["Retry-After"] = wait
    return page


def wrong_code() -> str:
    return _("This is no code that works now. After a wrong one, wait a little.")

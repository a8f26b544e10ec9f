"""The gallery: everything the account ordered, the newest first."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from accounts.models import Account
from common.errors import InvalidRequest
from console import access
from console.access import ConsoleRequest
from console.forms.gallery import GalleryFilters
from console.pages import gallery_list

POSITION = ("cursor", "offset", "page", "limit")


@access.of_account("GET")
def show(request: ConsoleRequest, account: Account) -> HttpResponse:
    """A page of it. A position that no page links to gets the first one."""
    filters = GalleryFilters.of(account, request.GET)
    condition = filters.condition()
    try:
        found = None if condition is None else gallery_list.listed(request, account, condition)
    except InvalidRequest:
        messages.warning(request, _("There is no such page of the gallery. This is its first one."))
        kept = request.GET.copy()
        for name in POSITION:
            kept.pop(name, None)
        return access.redirect(request, f"{request.path}?{kept.urlencode()}")
    context = {
        "filters": filters,
        "found": found,
        "newest": gallery_list.NEWEST,
        "is_first": not any(name in request.GET for name in POSITION),
    }
    return render(request, "console/gallery.html", context)

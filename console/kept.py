"""What was typed on Create when the session had ended: kept until the person has logged in again.

Until then only a field of the log-in form carries it. After that the session does, until Create has
shown it, and only for a member of the account that it was typed for. It is in no address and no
log.
"""

from __future__ import annotations

from typing import cast

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import Resolver404, resolve, reverse

from accounts.models import Account, Membership, User
from common import ids
from common.errors import NotFound
from console.forms.create import IMAGES, MODEL, TYPED
from console.forms.log_in import LogInForm
from console.playground import MOST_IMAGES, NAME

KEY = "kept"  # of the session
ACCOUNT, CODE = "account", "code"
ONCE = (NAME, MODEL, *TYPED, CODE)
MOST = 100_000  # characters, as they are carried; a longer text is not kept
HERE = "typed"  # the script of the pages then sends the form as a page, which loses nothing


def for_whom_nobody_knows(request: HttpRequest) -> HttpResponse | None:
    """The log-in page that keeps what this request carries; None if it carries nothing."""
    if request.method != "POST":
        return None
    return as_a_page(request) or with_log_in(request, in_request(request))


def as_a_page(request: HttpRequest) -> HttpResponse | None:
    """Let htmx send the whole form as a page: of a refusal it shows nothing.

    A stranger's upload gets no more than this: its body is not read.
    """
    if "HX-Request" not in request.headers:
        return None
    return HttpResponse(status=403, headers={"HX-Trigger": HERE})


def with_log_in(request: HttpRequest, text: str) -> HttpResponse | None:
    typed = read(text)
    if typed is None:
        return None
    address = reverse("console:create", args=[typed[ACCOUNT]])
    form = LogInForm(initial={"next": address, "kept": text})
    return render(request, "console/log_in.html", {"form": form}, status=403)


def in_request(request: HttpRequest) -> str:
    """What was typed, from a form of Create or from the log-in form that carries it; else ""."""
    try:
        found = resolve(request.path_info)
    except Resolver404:
        return ""
    if found.view_name == "console:log-in":
        return str(request.POST.get("kept", ""))
    if found.view_name not in ("console:create", "console:create-upload"):
        return ""
    try:
        account = ids.parse(found.kwargs["account"])
    except NotFound:
        return ""
    return _written(request.POST, str(account))


def read(text: str) -> QueryDict | None:
    """The fields that ``text`` carries; None if it carries none, or is something else."""
    if not text or len(text) > MOST:
        return None
    try:
        typed = QueryDict(text)
        ids.parse(typed.get(ACCOUNT, ""))
    except (SuspiciousOperation, NotFound):
        return None
    return typed if len(typed) > 1 else None


def put(request: HttpRequest, user: User, text: str) -> None:
    """Put it into the session of ``user``, who has logged in; drop what others' accounts had."""
    typed = read(text)
    if typed is None:
        return
    if Membership.objects.filter(user=user, account_id=str(typed[ACCOUNT])).exists():
        request.session[KEY] = text


def take(request: HttpRequest, account: Account) -> QueryDict | None:
    """Take it out of the session: the page of ``account`` shows it now."""
    typed = read(request.session.get(KEY, ""))
    if typed is None or typed[ACCOUNT] != str(account.pk):
        return None
    del request.session[KEY]
    return typed


def _written(typed: QueryDict, account: str) -> str:
    fields = {name: typed[name] for name in ONCE if typed.get(name)}
    images = [each for each in typed.getlist(IMAGES)[:MOST_IMAGES] if each]
    if not fields and not images:
        return ""
    kept = QueryDict(mutable=True)
    kept[ACCOUNT] = account
    kept.update(cast("dict[str, str]", fields))
    kept.setlist(IMAGES, images)
    text = kept.urlencode()
    return text if len(text) <= MOST else ""

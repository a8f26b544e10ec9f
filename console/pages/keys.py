"""An account's API keys: the list, making one, deleting one, and whether one was used."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import AuthenticationFailed

from accounts import keys, sessions
from accounts.models import Account, ApiKey
from common.api.base_url import base_url
from console import access
from console.access import ConsoleRequest
from console.first_call import FirstCall
from console.forms.keys import NewKey

MOST_ENDED = 20  # shown in the list
WAIT = timedelta(minutes=15)  # for so long the page asks whether a new key was used


@access.of_account("GET", "POST")
def show(request: ConsoleRequest, account: Account) -> HttpResponseBase:
    return _make(request, account) if request.method == "POST" else _list(request, account)


@access.of_account("POST")
def delete(request: ConsoleRequest, account: Account, key: str) -> HttpResponseBase:
    """End a key of the account. To do it twice does no harm."""
    return _delete(request, account, _key_of(account, key))


@access.of_account("GET")
def used(request: ConsoleRequest, account: Account, key: str) -> HttpResponse:
    """Whether the key was used: a page, or the part of one that asks until it was.

    If nothing is new the answer is 204, and htmx leaves the page alone: screen readers would begin
    anew with each answer.
    """
    row = _key_of(account, key)
    context = {"key": row, "is_waiting": _is_waiting(row)}
    if "HX-Request" not in request.headers:
        return render(request, "console/key.html", context)
    if context["is_waiting"]:
        return HttpResponse(status=204)
    return render(request, "console/parts/key_used.html", context)


@access.fresh
def _make(request: ConsoleRequest, account: Account) -> HttpResponse:
    """Make a key and show its secret.

    The secret is in this answer and nowhere else, so this POST is not answered by a 303. If the
    form is sent again, it makes no second key and shows no secret.
    """
    access.refuse_suspended(account)
    form = NewKey(request.POST)
    if not form.is_valid():
        return _list(request, account, form)
    user, here = request.user, sessions.digest(request.session.session_key or "")
    try:
        issued = keys.create_key(
            account,
            user,
            form.cleaned_data["name"],
            form.expires_at(),
            asked_with=sessions.of(user).filter(session_key=here),
            key_id=form.key_id(account, user),
        )
    except AuthenticationFailed:
        return access.to_log_in(request)
    except keys.MadeAlready:
        sentence = _(
            "This key is made already. Its secret was shown once and cannot be shown again: if you"
            " did not keep it, delete the key and make another."
        )
        messages.warning(request, sentence)
        return access.redirect(request, reverse("console:keys", args=[account.pk]))
    except keys.TooManyKeys as error:
        form.add_error(None, f"{error.detail}.")
        return _list(request, account, form)
    context = {
        "key": issued.api_key,
        "is_waiting": True,
        "secret": issued.secret,
        "first_call": FirstCall.of(base_url(request), issued.secret),
    }
    return access.private(render(request, "console/key_made.html", context))


@access.fresh
def _delete(request: ConsoleRequest, account: Account, key: ApiKey) -> HttpResponse:
    access.refuse_suspended(account)
    shown = {"name": key.name or key.preview}
    if keys.revoke(account.api_keys.keys().filter(pk=key.pk)):
        messages.success(
            request, _("“%(name)s” is deleted. Whoever uses it is refused from now on.") % shown
        )
    else:
        messages.info(request, _("“%(name)s” was deleted before.") % shown)
    return access.redirect(request, reverse("console:keys", args=[account.pk]))


def _list(request: HttpRequest, account: Account, form: NewKey | None = None) -> HttpResponse:
    ours = account.api_keys.keys().select_related("created_by").order_by("-created_at", "-id")
    live = list(ours.live())
    context = {
        "live": live,
        "ended": ours.filter(Q(revoked_at__isnull=False) | Q(expires_at__lte=timezone.now()))[
            :MOST_ENDED
        ],
        "form": form or NewKey(initial={"name": "" if live else _("My first key")}),
        "most": keys.MAX_LIVE_KEYS,
        "has_room": len(live) < keys.MAX_LIVE_KEYS,
    }
    return render(request, "console/keys.html", context)


def _key_of(account: Account, key: str) -> ApiKey:
    """One of the account's keys, also one that has ended. Raises Http404."""
    found = account.api_keys.keys().filter(pk=access.parse_or_404(key)).first()
    if found is None:
        raise Http404
    return found


def _is_waiting(key: ApiKey) -> bool:
    return key.is_live and key.last_used_at is None and timezone.now() - key.created_at < WAIT

"""Who may see a page. Each view has one of these decorators:

    @public         for everybody
    @signed_in      for people who are logged in; others are led to the log-in
    @of_account     for members of the account in the path who are logged in; others get 404

``@fresh`` stands below one of the last two: people prove once more who they are.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from django_htmx.http import HttpResponseClientRedirect

from accounts.models import Account, Membership, User
from common import ids
from common.errors import AccountSuspended, ApiError, NotFound
from console import entrance, error_pages, next_page

View = Callable[..., HttpResponseBase]
READING = ("GET", "HEAD")
ACCOUNT = "console_account"  # the attribute of a request that is about one


class ConsoleRequest(HttpRequest):
    """The request that views behind ``signed_in`` and ``of_account`` get."""

    user: User
    console_account: Account


def public(*methods: str) -> Callable[[View], View]:
    """A page for everybody, by these methods. Where GET is one of them, HEAD is, too."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def answer(request: HttpRequest, *args: Any, **options: Any) -> HttpResponseBase:
            return _answer(view, methods, request, args, options)

        return answer

    return decorate


def signed_in(*methods: str) -> Callable[[View], View]:
    """A page for people who are logged in, by these methods."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def answer(request: HttpRequest, *args: Any, **options: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return to_log_in(request)
            return _answer(view, methods, request, args, options)

        return answer

    return decorate


def of_account(
    *methods: str, keeping: Callable[[HttpRequest], HttpResponse | None] | None = None
) -> Callable[[View], View]:
    """A page of one account; the view gets the Account in place of the id in the path.

    If nobody is logged in, ``keeping`` answers a request that carries something to keep.
    """

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def answer(
            request: HttpRequest, account: str, *args: Any, **options: Any
        ) -> HttpResponseBase:
            user = request.user
            if not isinstance(user, User):
                return (keeping and keeping(request)) or to_log_in(request)
            found = account_of(request, account)
            if found is None:
                raise Http404
            return _answer(view, methods, request, (found, *args), options)

        return answer

    return decorate


def fresh(view: View) -> View:
    """The page asks for the password again: a session left open is not enough for it."""

    @functools.wraps(view)
    def answer(request: HttpRequest, *args: Any, **options: Any) -> HttpResponseBase:
        if entrance.has_confirmed_lately(request):
            return view(request, *args, **options)
        return redirect(request, f"{reverse('console:confirm')}?{_next(request)}")

    return answer


def account_of(request: HttpRequest, account: str) -> Account | None:
    """The account of that id if its member is logged in. The page's frame is about it then."""
    user = request.user
    try:
        account_id = ids.parse(account)
    except NotFound:
        return None
    if not isinstance(user, User):
        return None
    memberships = Membership.objects.filter(user=user, account_id=account_id)
    found = memberships.select_related("account").first()
    if found is None:
        return None
    setattr(request, ACCOUNT, found.account)
    return found.account


def refuse_suspended(account: Account) -> None:
    """Raises AccountSuspended. Called before anything is ordered, bought or made."""
    if account.suspended_at is not None:
        raise AccountSuspended


def parse_or_404(text: str) -> uuid.UUID:
    """The id in a path. Raises Http404."""
    try:
        return ids.parse(text)
    except NotFound as error:
        raise Http404 from error


def redirect(request: HttpRequest, address: str) -> HttpResponse:
    """A 303. htmx gets a header instead, or it would put the next page into a part of this one."""
    if "HX-Request" in request.headers:
        return HttpResponseClientRedirect(address)
    response = HttpResponseRedirect(address)
    response.status_code = 303
    return response


def to_log_in(request: HttpRequest) -> HttpResponse:
    return redirect(request, f"{reverse('console:log-in')}?{_next(request)}")


def private(response: HttpResponse) -> HttpResponse:
    """Mark an answer that shows a secret once, or has one in its path.

    No other site learns the path. ``no-referrer`` would do more than that: browsers then send
    ``Origin: null`` with each form of the page, and Django takes it for another site's.
    """
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "strict-origin"
    return response


def _next(request: HttpRequest) -> str:
    """The query that leads back to this page; after a POST, to the page with the form."""
    if request.method in READING:
        return urlencode({"next": request.get_full_path()})
    return urlencode({"next": next_page.sent_from(request)})


def _answer(
    view: View,
    methods: tuple[str, ...],
    request: HttpRequest,
    args: tuple[Any, ...],
    options: dict[str, Any],
) -> HttpResponseBase:
    allowed = (*methods, "HEAD") if "GET" in methods else methods
    if request.method not in allowed:
        return error_pages.wrong_method(request, allowed)
    try:
        return view(request, *args, **options)
    except ApiError as error:
        return error_pages.of_error(request, error)

"""The views of the way in and out: password, second factor, recovery codes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import django_otp
from django.conf import settings
from django.contrib.auth import logout, views
from django.contrib.auth.signals import user_logged_out
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.generic import FormView
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import second_factor
from accounts.models import User
from common.errors import InvalidCredentials, RateLimited
from common.web.client_address import client_address
from common.web.pages import is_for_operators
from staff import audit
from staff.entrance.forms import CodeForm, LogInForm, OwnPasswordForm

NEXT = "next"
ENROLLING = "enrolling"  # key in the session: the device whose key this browser was shown
TOO_MANY = 429

if TYPE_CHECKING:
    _FormView = FormView[Any]
else:
    _FormView = object

Found = TypeVar("Found")


class _Slowed(_FormView):
    """A view that answers 429 with ``Retry-After`` after too many tries (``form.wait``)."""

    def form_invalid(self, form: Any) -> HttpResponse:
        response = super().form_invalid(form)
        if form.wait:
            response.status_code = TOO_MANY
            response.headers["Retry-After"] = str(form.wait)
        return response


class LogInView(_Slowed, views.LoginView):
    """The password. Alone it opens nothing, unless ADMIN_REQUIRE_2FA is off."""

    authentication_form = LogInForm
    template_name = "admin/login.html"

    def get_default_redirect_url(self) -> str:
        return reverse("admin:index")

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        if not settings.ADMIN_REQUIRE_2FA:
            enter(self.request, form.get_user(), "password alone")
        return response


class OwnPasswordView(_Slowed, views.PasswordChangeView):
    form_class = OwnPasswordForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "address": client_address(self.request)}

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            return super().form_valid(form)
        except InvalidCredentials:
            form.add_error("old_password", "The password was changed meanwhile, log in again")
            return self.form_invalid(form)


def half_in(request: HttpRequest) -> bool:
    """Whether the password was right and a second factor is still to come."""
    user = request.user
    return bool(
        settings.ADMIN_REQUIRE_2FA
        and user.is_authenticated
        and user.is_active
        and user.is_staff
        and getattr(user, "otp_device", None) is None
    )


def second_factor_view(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Ask for a code of the app or a recovery code. A user without a device is sent to enrol."""
    if not half_in(request):
        return redirect("admin:index")
    user = _user(request)
    if not second_factor.has_one(user):
        return redirect(f"{reverse('admin:enroll')}?{request.GET.urlencode()}")
    form, wait = CodeForm(request.POST or None), 0
    if form.is_valid():
        device, wait = _guess(request, form, functools.partial(second_factor.check, user))
        if device is not None:
            django_otp.login(request, device)
            recovery = isinstance(device, StaticDevice)
            enter(request, user, "a recovery code" if recovery else "an authenticator app")
            return HttpResponseRedirect(_next(request))
    return _render(request, "admin/second_factor.html", context, form, wait)


def enroll_view(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Show a QR code, and the recovery codes once a code of the app has been typed."""
    if not half_in(request):
        return redirect("admin:index")
    user = _user(request)
    if second_factor.has_one(user):
        return redirect(f"{reverse('admin:second_factor')}?{request.GET.urlencode()}")
    device = _shown_device(request, user)
    form, wait = CodeForm(request.POST or None), 0
    if form.is_valid():
        codes, wait = _guess(request, form, functools.partial(second_factor.confirm, user, device))
        if codes is not None:
            with transaction.atomic():
                audit.record(user, "enroll_second_factor", user)
            request.session.pop(ENROLLING, None)
            django_otp.login(request, device)
            enter(request, user, "a new authenticator app")
            return _show_codes(request, context, codes)
    shown = {"qr": second_factor.qr_code(device), "key": second_factor.typed_key(device)}
    return _render(request, "admin/enroll.html", context | shown, form, wait)


def recovery_codes_view(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Make new recovery codes in place of the older ones. Needs a session with a second factor."""
    if request.method != "POST":
        return TemplateResponse(request, "admin/recovery_codes.html", context)
    user = _user(request)
    with transaction.atomic():
        codes = second_factor.new_recovery_codes(user)
        audit.record(user, "make_recovery_codes", user)
    return _show_codes(request, context, codes)


def leave_view(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """End a session without a second factor: Django's own log-out is closed to it."""
    if request.method == "POST":
        logout(request)
    return redirect("admin:login")


def enter(request: HttpRequest, user: User, how: str) -> None:
    """Complete the log-in: the session's time begins, and the audit log has an entry."""
    session: Any = request.session
    session.begin()
    with transaction.atomic():
        facts = {"address": client_address(request), "by": how}
        audit.record(user, "log_in", user, changes=facts)


@receiver(user_logged_out, dispatch_uid="staff.note_the_end")
def record_log_out(request: HttpRequest, user: User | None, **_: Any) -> None:
    """Receiver of Django's signal, which is sent for the customers' pages, too."""
    if user is not None and user.is_staff and is_for_operators(request):
        with transaction.atomic():
            audit.record(user, "log_out", user)


def _shown_device(request: HttpRequest, user: User) -> TOTPDevice:
    """The device whose key this session was shown. Another session's key cannot be confirmed."""
    known = request.session.get(ENROLLING)
    device = TOTPDevice.objects.filter(pk=known, user=user, confirmed=False).first()
    if device is None:
        device = second_factor.begin_enrolment(user)
        request.session[ENROLLING] = device.pk
    return device


def _user(request: HttpRequest) -> User:
    """The session's user. Raises PermissionDenied if there is none."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def _guess(
    request: HttpRequest, form: CodeForm, find: Callable[[str], Found | None]
) -> tuple[Found | None, int]:
    """What ``find`` returns for the code, and the seconds until another try makes sense."""
    user, address = _user(request), client_address(request)

    def refused() -> None:
        form.add_error(
            "code", "This is not a code that works now. After a wrong one, wait a little"
        )
        with transaction.atomic():
            audit.record(user, "refuse_second_factor", user, changes={"address": address})

    try:
        code = form.cleaned_data["code"]
        found = second_factor.guess(user, address, lambda: find(code), refused)
    except RateLimited as error:
        wait = int(error.headers["Retry-After"])
        form.add_error("code", f"Too many tries, wait {wait} seconds")
        return None, wait
    return found, 0


def _render(
    request: HttpRequest, template: str, context: dict[str, Any], form: CodeForm, wait: int
) -> HttpResponse:
    shown = context | {"form": form, NEXT: _next(request)}
    if not wait:
        return TemplateResponse(request, template, shown)
    headers = {"Retry-After": str(wait)}
    return TemplateResponse(request, template, shown, status=TOO_MANY, headers=headers)


def _show_codes(request: HttpRequest, context: dict[str, Any], codes: list[str]) -> HttpResponse:
    shown = context | {"codes": codes, NEXT: _next(request)}
    return TemplateResponse(request, "admin/recovery_codes.html", shown)


def _next(request: HttpRequest) -> str:
    wanted = request.POST.get(NEXT) or request.GET.get(NEXT) or ""
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure())
    return wanted if safe else reverse("admin:index")

"""The operators' site: who may enter, and the pages that belong to no model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.contrib import admin
from django.core.paginator import InvalidPage
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import Resolver404, URLPattern, path, resolve, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.common import no_append_slash
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from unfold.sites import UnfoldAdminSite

from common.google import is_google
from staff.entrance import views

EntranceView = Callable[[HttpRequest, dict[str, Any]], HttpResponse]


class OperatorSite(UnfoldAdminSite):  # type: ignore[misc]  # unfold has no types
    """The site for staff with a second factor."""

    enable_nav_sidebar = True

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether the log-in of this session is complete. Then its time begins anew."""
        inside = bool(super().has_permission(request)) and not views.half_in(request)
        if inside:  # not SESSION_SAVE_EVERY_REQUEST: a request of the API may carry the cookie, too
            request.session.modified = True
        return inside

    def get_urls(self) -> list[URLPattern]:
        """Django's, without ``view on site``: nothing has it, and it takes any id of any table."""
        found: list[URLPattern] = super().get_urls()
        return [each for each in found if getattr(each, "name", "") != "view_on_site"]

    def extra_urls(self) -> list[URLPattern]:
        """unfold's hook: the pages of the second factor."""
        return [
            path("second-factor/", self._open(views.second_factor_view), name="second_factor"),
            path("leave/", self._open(views.leave_view), name="leave"),
            path("enroll/", self._open(views.enroll_view), name="enroll"),
            path(
                "recovery-codes/",
                self.admin_view(self._with_context(views.recovery_codes_view)),
                name="recovery_codes",
            ),
        ]

    @method_decorator([never_cache, csrf_protect, sensitive_post_parameters()])
    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """The password. A session that has passed it is sent on to the second factor."""
        if request.method == "GET" and self.has_permission(request):
            return redirect("admin:index")
        if request.method == "GET" and views.half_in(request):
            return redirect(f"{reverse('admin:second_factor')}?{request.GET.urlencode()}")
        context = self._context(request) | {
            "title": "Log in",
            "app_path": request.get_full_path(),
            views.NEXT: request.GET.get(views.NEXT) or reverse("admin:index"),
        }
        view = views.LogInView.as_view(extra_context=context | (extra_context or {}))
        return view(request)

    def search(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """unfold's search. Raises Http404 for a page number that does not exist."""
        try:
            found: HttpResponse = super().search(request, extra_context)
        except (InvalidPage, ValueError) as error:
            raise Http404 from error
        return found

    @no_append_slash  # marks what resolve() finds for an address without a page
    def catch_all_view(self, request: HttpRequest, url: str) -> HttpResponse:
        """Redirect an address without its last slash to the page. Raises Http404.

        Django's own view does so only if APPEND_SLASH is on for the whole service.
        """
        if request.method not in ("GET", "HEAD") or url.endswith("/"):
            raise Http404
        try:
            page = resolve(f"{request.path_info}/").func
        except Resolver404 as error:
            raise Http404 from error
        if not getattr(page, "should_append_slash", True):
            raise Http404
        return redirect(request.get_full_path(force_append_slash=True))

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """Django's page for one's own password. The form writes the audit entry."""
        request.current_app = self.name
        view = views.OwnPasswordView.as_view(
            success_url=reverse("admin:password_change_done"),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        return view(request)

    def _open(self, view: EntranceView) -> Callable[[HttpRequest], HttpResponse]:
        """A page for sessions whose log-in is not complete."""
        return never_cache(csrf_protect(sensitive_post_parameters()(self._with_context(view))))

    def _with_context(self, view: EntranceView) -> Callable[[HttpRequest], HttpResponse]:
        def answer(request: HttpRequest) -> HttpResponse:
            return view(request, self._context(request))

        return answer

    def _context(self, request: HttpRequest) -> dict[str, Any]:
        request.current_app = self.name
        return {**self.each_context(request)}


def environment(request: HttpRequest) -> list[str] | None:
    """unfold's badge beside the user's name: a warning unless Google makes the outputs."""
    return None if is_google(settings.VERTEX_BASE_URL) else ["Emulated outputs", "warning"]


site = cast("OperatorSite", admin.site)  # Django's lazy object, on which pages are registered

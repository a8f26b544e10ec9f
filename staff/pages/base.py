"""What the operators' pages have in common: cheap lists, and audited changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin
from unfold.decorators import action as unfold_action
from unfold.decorators import display as unfold_display

from accounts.models import User
from staff import audit
from staff.models import AuditEntry

COUNT_CAP = 10_000
PAGE = 50
HISTORY = 100  # entries on an object's history page

if TYPE_CHECKING:  # unfold has no types
    UnfoldPages = admin.ModelAdmin[Any]
    Pages = Paginator[Any]
else:
    UnfoldPages = ModelAdmin
    Pages = Paginator

View = TypeVar("View", bound=Callable[..., Any])


def action(**options: Any) -> Callable[[View], View]:
    """unfold's decorator of a button, but typed."""
    decorated: Callable[[View], View] = unfold_action(**options)
    return decorated


def display(**options: Any) -> Callable[[View], View]:
    """unfold's decorator of a column, but typed."""
    decorated: Callable[[View], View] = unfold_display(**options)
    return decorated


class CappedPaginator(Pages):
    """Counts no further than COUNT_CAP. Later rows are found by a filter or a search."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[:COUNT_CAP].count())


class StaffAdmin(UnfoldPages):
    """A list costs three statements whatever its length. Each change has its audit entry.

    By default nothing is added or deleted. No column can be sorted by, since most have no index. A
    form may have a field ``reason``.
    """

    show_full_result_count = False
    paginator = CappedPaginator
    list_per_page = PAGE
    list_max_show_all = PAGE
    sortable_by = ()
    actions: Any = None
    list_filter_sheet = True
    linked_by: tuple[str, ...] = ()  # look-ups that our own links use, and no filter offers

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Django's hook. Any look-up but those of filters and ``linked_by`` is answered 400.

        Django itself would take any look-up of any column, even a regular expression.
        """
        offered, filters = set(self.linked_by), cast("Any", self.list_filter)
        for each in filters:
            if isinstance(each, str):
                offered |= {each, f"{each}__exact"}
            else:
                offered.add(each.parameter_name)
        return lookup in offered

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save ``obj``, and keep on it what ``log_addition`` and ``log_change`` record."""
        changes = self.save_changes(obj, form, change)
        obj.audited = (changes, form.cleaned_data.get("reason", ""))

    def save_changes(self, obj: Any, form: Any, change: bool) -> dict[str, Any]:
        """Write the changed columns only, since others may write the row, too.

        Returns the audit entry's ``changes``; what was before comes from the locked row.
        """
        columns = {field.name for field in obj._meta.concrete_fields}
        names = [name for name in form.changed_data if name in columns]
        if not change:
            obj.save()
            return {name: [None, _plain(obj, name)] for name in names}
        before = type(obj)._default_manager.select_for_update().get(pk=obj.pk)
        if names:
            obj.save(update_fields=names)
        return {name: [_plain(before, name), _plain(obj, name)] for name in names}

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Django's hook, inside the transaction of the change."""
        self._record(request, "add", obj)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Django's hook, inside the transaction of the change."""
        self._record(request, "change", obj)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        raise PermissionDenied

    def _record(self, request: HttpRequest, verb: str, obj: Any) -> None:
        changes, reason = getattr(obj, "audited", ({"password": None}, ""))
        if changes:
            audit.record(
                staff_user(request),
                f"{verb}_{obj._meta.model_name}",
                obj,
                reason=reason,
                changes=changes,
            )

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What staff did to the object, from the audit log."""
        obj = self.object_or_404(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "title": f"History of {obj}",
            "entries": self.history_of(obj).select_related("actor").order_by("-id")[:HISTORY],
            "opts": self.opts,
            "object": obj,
        }
        return TemplateResponse(
            request, "admin/audit_history.html", context | (extra_context or {})
        )

    def history_of(self, obj: Any) -> QuerySet[AuditEntry]:
        return AuditEntry.objects.filter(target_type=obj._meta.label_lower, target_id=str(obj.pk))

    def object_or_404(self, request: HttpRequest, object_id: str) -> Any:
        """The object. Raises Http404, or PermissionDenied if this person may not see it."""
        obj = self.get_object(request, object_id)
        if obj is None:
            raise Http404
        if not self.has_view_or_change_permission(request, obj):
            raise PermissionDenied
        return obj


class ReadOnlyAdmin(StaffAdmin):
    """Pages of rows that are history, or that only verbs may write."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: Django then shows every field read-only."""
        return False


def staff_user(request: HttpRequest) -> User:
    """The member of staff who acts. The site lets nobody else in."""
    user = request.user
    if not isinstance(user, User):
        raise PermissionDenied
    return user


def _plain(obj: Any, name: str) -> Any:
    value = getattr(obj, name)
    return str(value) if isinstance(value, Model) else value

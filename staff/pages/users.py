"""The operators' page of the staff: who belongs to it, with which role."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.forms import UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminSelectWidget

from accounts import keys, login
from accounts.models import User
from staff import recipients, roles
from staff.entrance.password_forms import BoundedPasswords, NewPasswordForm
from staff.pages.base import StaffAdmin, display, staff_user

CHOICES = [(name, name.capitalize()) for name in roles.NAMES]

if TYPE_CHECKING:
    ChangeForm = forms.ModelForm[User]
    AddForm = forms.ModelForm[User]
    UserPages = UserAdmin[User]
else:
    ChangeForm, AddForm, UserPages = UserChangeForm, UserCreationForm, UserAdmin


class StaffChangeForm(ChangeForm):
    """A role in place of Django's flags, groups and permissions."""

    role = forms.ChoiceField(choices=CHOICES, widget=UnfoldAdminSelectWidget())

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.initial["role"] = roles.role_of(self.instance)

    def clean(self) -> dict[str, Any]:
        """Refuse to remove the last superuser: nobody could let others in."""
        values = super().clean() or {}
        loses = not values.get("is_active") or values.get("role") != roles.SUPERUSER
        others = User.objects.filter(is_superuser=True, is_staff=True, is_active=True)
        if self.instance.is_superuser and loses and not others.exclude(pk=self.instance.pk):
            raise forms.ValidationError("This is the last superuser that can log in")
        return values


class StaffAddForm(BoundedPasswords, AddForm):
    """A new member of staff, who enrols a second factor at the first log-in."""

    email = forms.EmailField(label="E-mail", widget=UnfoldAdminEmailInputWidget())
    role = forms.ChoiceField(choices=CHOICES, widget=UnfoldAdminSelectWidget())

    def clean_email(self) -> str:
        """Raises ValidationError for an address in use; it says by whom, and what may be done."""
        email: str = self.cleaned_data["email"]
        taken = login.find_user(email)
        if taken is not None:
            who, what = recipients.who_is(taken), recipients.how_to_take_over(taken)
            raise forms.ValidationError(f"Somebody has this e-mail address. {who} {what}")
        return email


@admin.register(User)
class StaffUserAdmin(UserPages, StaffAdmin):
    """For superusers alone. A customer's page is that of the account."""

    form = StaffChangeForm
    add_form = StaffAddForm
    change_password_form = NewPasswordForm
    list_display = ("username", "email", "role", "is_active", "last_login")
    list_filter = ("is_active",)
    list_per_page = 50
    ordering = ("username",)
    search_fields = ("username__iexact", "email__iexact")
    search_help_text = "The whole user name or e-mail"
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined", "came")
    fieldsets = (
        (None, {"fields": ("username", "email", "password")}),
        ("Role", {"fields": ("role", "is_active")}),
        ("Dates", {"fields": ("last_login", "date_joined", "came")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "email", "role", "password1", "password2")}),)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Only staff, by an index of their own."""
        found: QuerySet[User] = super().get_queryset(request)
        return found.filter(is_staff=True).prefetch_related("groups")

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Keep with a new user who added it."""
        if not change:
            obj.origin, obj.made_by = User.Origin.ADD_USER, staff_user(request)
        super().save_model(request, obj, form, change)

    def save_changes(self, obj: User, form: Any, change: bool) -> dict[str, Any]:
        """Save the role, too. A user who is no longer active loses all login tokens.

        Nobody has shown that a changed address is theirs.
        """
        if change and "email" in form.changed_data:
            User.objects.filter(pk=obj.pk).update(email_verified_at=None)
        changes = super().save_changes(obj, form, change)
        if not obj.is_active:
            keys.revoke(keys.tokens_of(obj))
        shown = form.initial.get("role", "")
        wanted = form.cleaned_data.get("role", shown)
        if wanted != shown or not change:
            before = roles.assign(obj, wanted)  # the form may have shown an older one
            changes["role"] = [before, wanted]
        return changes

    def user_change_password(self, request: HttpRequest, *args: Any, **named: Any) -> Any:
        """Django's page, with its entry in one transaction."""
        with transaction.atomic():
            return super().user_change_password(request, *args, **named)

    @display(description="Role")
    def role(self, user: User) -> str:
        """The role, from the groups that the list has fetched."""
        if user.is_superuser:
            return roles.SUPERUSER
        return ", ".join(group.name for group in user.groups.all()) or "–"

    @display(description="How they came")
    def came(self, user: User) -> str:
        """How the user came to be: registered, or made by whom."""
        return recipients.came(user)

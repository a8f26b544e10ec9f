"""A verb with a reason, such as suspending an account: its button, its page and its URL.

A page declares its verbs (``VerbPages.verbs``). What a verb does is a function of
``staff/customers.py``, ``staff/generations.py`` and their like.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from accounts.models import User
from common.errors import ApiError
from staff.pages.base import ReadOnlyAdmin, action, staff_user
from staff.pages.forms import ReasonForm
from staff.results import Result

REFUSED = 409


def always(target: Any) -> bool:
    """The condition of a button that is always shown."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """``explanation`` is the page's sentence about what will happen, or a function that makes it.

    ``possible`` decides about the button alone; ``do`` decides under the object's lock. ``do``
    writes the audit entry in the transaction of the change. It raises ApiError for what the state
    does not allow, and ValidationError for a value of the form.
    """

    name: str  # the URL's name is accounts_account_suspend, for instance
    title: str
    explanation: str | Callable[[Any], str]
    form: type[ReasonForm] = ReasonForm
    permission: str
    possible: Callable[[Any], bool] = always
    do: Callable[[User, Any, dict[str, Any]], Result]
    button: str = ""  # if it is not the title
    path: str = ""  # if it is not the name
    icon: str | None = None


class VerbPages(ReadOnlyAdmin):
    """Pages of objects that are changed by ``verbs`` alone."""

    verbs: tuple[Verb, ...] = ()

    def __init_subclass__(cls, **named: Any) -> None:
        """Make a method of each verb: unfold looks for the names of ``actions_detail`` there."""
        super().__init_subclass__(**named)
        for verb in cls.verbs:
            setattr(cls, verb.name, _view_of(verb))

    def heading_of(self, verb: Verb, target: Any) -> str:
        """The title of the verb's page."""
        return verb.title

    def verbs_for(self, request: HttpRequest, target: Any) -> list[Verb]:
        """The verbs that this person may use and that the object's state allows."""
        return [
            verb
            for verb in self.verbs
            if request.user.has_perm(verb.permission) and verb.possible(target)
        ]

    def buttons_of(self, request: HttpRequest, target: Any) -> list[dict[str, str]]:
        """The buttons on a page of our own."""
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        return [
            {"title": verb.title, "url": reverse(f"{name}_{verb.name}", args=[target.pk])}
            for verb in self.verbs_for(request, target)
        ]

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """unfold's hook for the buttons of the object's page."""
        target = self.get_object(request, str(object_id))
        if target is None:
            return []
        pages: Any = self  # unfold has no types
        return [pages.get_unfold_action(verb.name) for verb in self.verbs_for(request, target)]

    def verb_view(self, request: HttpRequest, verb: Verb, object_id: str) -> HttpResponse:
        """Ask why, then do it and show the result. Raises Http404 or PermissionDenied."""
        target, actor = self.object_or_404(request, object_id), staff_user(request)
        if not actor.has_perm(verb.permission):
            raise PermissionDenied
        form = verb.form.of(actor, target, request.POST if request.method == "POST" else None)
        status = 200
        if form.is_valid():
            try:
                result = verb.do(actor, target, form.cleaned_data)
            except ValidationError as error:
                form.add_error(None, error)
            except ApiError as refusal:
                form.add_error(None, str(refusal.detail))
                status = REFUSED
            else:
                say = messages.success if result.changed else messages.warning
                say(request, result.sentence)
                page = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
                return redirect(page, result.page_of or target.pk)
        told = verb.explanation
        context = {
            **self.admin_site.each_context(request),
            "title": self.heading_of(verb, target),
            "button": verb.title,
            "explanation": told if isinstance(told, str) else told(target),
            "form": form,
            "opts": self.opts,
            "original": target,
        }
        return TemplateResponse(request, "admin/verb.html", context, status=status)


def _view_of(verb: Verb) -> Callable[..., HttpResponse]:
    def view(pages: VerbPages, request: HttpRequest, object_id: str) -> HttpResponse:
        return pages.verb_view(request, verb, object_id)

    view.__name__ = verb.name  # unfold compares it with actions_detail
    # without permissions=, which unfold would look up in the database in Django's system checks
    return action(
        description=verb.button or verb.title, url_path=verb.path or verb.name, icon=verb.icon
    )(view)

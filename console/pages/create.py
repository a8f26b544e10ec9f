"""The playground: it orders by the verb of the API, with the API's own limits and words."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from rest_framework.exceptions import ValidationError

from accounts.arrival import CREATES, UPLOADS, window_of
from accounts.caller import Caller
from accounts.models import Account
from common.api.shape import first_of_each
from common.errors import ApiError
from common.idempotency import IdempotencyKeyReused
from common.telemetry import access_log
from common.web import rate_limit
from console import access, image_form, kept, playground, trouble
from console.access import ConsoleRequest
from console.forms.create import MODEL
from console.playground import Draft
from console.trouble import Trouble
from generation import metrics
from generation.api import lookup, ordering
from generation.models import Generation
from generation.refusals import UnusableUpload

SHOW, REMOVE, DO = "show", "remove", "do"
ENTRY = re.compile(r"source_image_urls\[(\d+)\]")
NOT_ADDED = gettext_lazy("The file is not added yet: press “Add image” first. Nothing was ordered.")


@dataclass(frozen=True)
class Answer:
    """What the page shows beside its draft."""

    trouble: Trouble | None = None
    made: Generation | None = None  # what the same form has ordered already
    has_code: bool = False
    is_kept: bool = False  # typed before the log-in, by ``console/kept.py``


@access.of_account("GET", "POST", keeping=kept.for_whom_nobody_knows)
def show(request: ConsoleRequest, account: Account) -> HttpResponse:
    """GET: the form. POST: order it, or only say what it would cost (htmx, and *Show as code*)."""
    address = reverse("console:create", args=[account.pk])
    if request.method == "GET" and (typed := kept.take(request, account)) is not None:
        return as_typed(request, account, typed)
    if request.method != "POST":
        draft, made = _asked_for(request, account, address)
        return _page(request, draft, Answer(made=made))
    draft = playground.sent(request.POST, address)
    if draft is None:
        return _page(request, None, Answer())
    has_code = SHOW in (request.POST.get(DO), request.POST.get("code"))
    if REMOVE in request.POST:
        draft = draft.without_image(request.POST[REMOVE])
    if "HX-Request" in request.headers:
        return _part(request, draft, Answer(has_code=has_code))
    if REMOVE in request.POST:
        return _page(request, draft, Answer(has_code=has_code))
    if request.POST.get(DO) == SHOW:
        return _page(request, draft.fitting(), Answer(has_code=True))
    access.refuse_suspended(account)
    return _order(request, account, draft, Answer(has_code=has_code))


def as_typed(
    request: HttpRequest, account: Account, typed: QueryDict, status: int = HTTPStatus.OK
) -> HttpResponse:
    """Show what was typed before a log-in, at today's price. Nothing is ordered."""
    draft = playground.sent(typed, reverse("console:create", args=[account.pk]))
    gone = draft is not None and draft.model_is_gone
    said = Trouble(status, trouble.gone_model(typed.get(MODEL, ""))) if gone else None
    answer = Answer(said, playground.made_by(account, typed.get(playground.NAME, "")))
    answer = replace(answer, has_code=typed.get(kept.CODE) == SHOW, is_kept=True)
    return _page(request, draft, answer, status)


def _order(request: ConsoleRequest, account: Account, draft: Draft, answer: Answer) -> HttpResponse:
    """Order it. A 303 leads to what it made, now or before; else the page keeps what was typed."""
    asked = draft.request(Caller.by_member(account.pk, request.user.pk))
    try:
        if (before := ordering.replayed(asked)) is not None:
            return _to(request, account, before.generation_id)
        window = window_of(account, CREATES)
        if not (decision := window.hit()).allowed:
            raise rate_limit.too_many(decision)
        if request.POST.get(image_form.FIELD):
            draft.form.add_error(None, NOT_ADDED)
            return _page(request, draft, answer, HTTPStatus.BAD_REQUEST)
        if (said := _unseen(request, draft)) is not None:
            return _page(request, draft.fitting(), replace(answer, trouble=said))
        made = ordering.place(asked)
    except ValidationError as error:
        _tell(draft, first_of_each(error)[1])
        return _page(request, draft, answer, HTTPStatus.BAD_REQUEST)
    except UnusableUpload as error:
        _tell(draft, error.details)
        return _page(request, draft, answer, HTTPStatus.BAD_REQUEST)
    except IdempotencyKeyReused as error:
        answer = replace(answer, made=playground.made_by(account, str(draft.name)))
        answer = replace(answer, trouble=trouble.of_refusal(error, account))
        return _page(request, draft.renamed(), answer)
    except ApiError as error:
        answer = replace(answer, trouble=trouble.of_refusal(error, account))
        return _page(request, draft, answer)
    return _to(request, account, made.generation_id)


@csrf_exempt  # until it is known who sends it: the token stands in the body, beside the file
@access.of_account("POST", keeping=kept.as_a_page)
def upload(request: ConsoleRequest, account: Account) -> HttpResponse:
    """Keep the image of the form, and show the form again with all that was typed."""
    access.refuse_suspended(account)
    if not (decision := window_of(account, UPLOADS).hit()).allowed:
        raise rate_limit.too_many(decision)
    with image_form.OneImage(request) as image:
        image_form.read(request, image)
        return _upload(request, account, image)


@csrf_protect
def _upload(request: ConsoleRequest, account: Account, image: image_form.OneImage) -> HttpResponse:
    draft = playground.sent(request.POST, reverse("console:create", args=[account.pk]))
    if draft is None:
        return _page(request, None, Answer())
    answer = Answer(has_code=request.POST.get("code") == SHOW)
    try:
        kept = image.kept(Caller.by_member(account.pk, request.user.pk))
    except ApiError as error:
        metrics.count_uploaded(str(error.get_codes()))
        draft.form.add_error(None, f"{error.detail}.")
        if "HX-Request" in request.headers:  # htmx shows nothing of a refusal
            return _part(request, draft, answer)
        return _page(request, draft, answer, error.status_code)
    metrics.count_uploaded("stored")
    draft = draft.with_image(f"upload:{kept.pk}")
    shown = _part if "HX-Request" in request.headers else _page
    return shown(request, draft, answer)


def _asked_for(
    request: HttpRequest, account: Account, address: str
) -> tuple[Draft | None, Generation | None]:
    """The draft that the link fills in, and the generation that a form of this name has made.

    Raises Http404.
    """
    name = request.GET.get(playground.NAME, "")
    made = playground.made_by(account, name)
    before = made
    if again := request.GET.get("again", ""):
        before = lookup.of_account(account.pk, access.parse_or_404(again))
        if before is None:
            raise Http404
    if before is not None:
        draft = playground.again(before, address)
    else:
        number, examples = request.GET.get("example", ""), playground.examples()
        prompt = request.GET.get("prompt", "")
        prompt = examples[int(number)] if number in ("0", "1", "2") else prompt
        draft = playground.empty(address, prompt, request.GET.get("model", ""))
    return (None if draft is None else playground.named(draft, name)), made


def _unseen(request: HttpRequest, draft: Draft) -> Trouble | None:
    """Why the person has to look again: fields or price are not those that the page showed."""
    if draft.model_is_gone:
        return Trouble(HTTPStatus.CONFLICT, trouble.gone_model(request.POST.get(MODEL, "")))
    if draft.is_as_shown:
        return None
    same_model = draft.shown[0] == draft.model.name
    said = trouble.changed_price() if same_model else trouble.changed_model()
    return Trouble(HTTPStatus.CONFLICT, said)


def _tell(draft: Draft, faults: dict[str, str]) -> None:
    """Put each of the API's sentences beside the field that it is about."""
    for name, sentence in faults.items():
        field = name if name in draft.form.fields else None
        draft.form.add_error(field, f"{ENTRY.sub(_numbered, sentence)}.")


def _numbered(entry: re.Match[str]) -> str:
    return _("Image %(n)s") % {"n": int(entry[1]) + 1}


def _to(request: HttpRequest, account: Account, generation_id: Any) -> HttpResponse:
    access_log.add_fields(generation_id=str(generation_id))
    return access.redirect(request, reverse("console:generation", args=[account.pk, generation_id]))


def _context(request: HttpRequest, draft: Draft | None, answer: Answer) -> dict[str, Any]:
    base = settings.PUBLIC_BASE_URL or request.build_absolute_uri("/").rstrip("/")
    code = draft.code(base) if draft is not None and answer.has_code else []
    return {
        "draft": draft,
        "form": draft and draft.form,
        "answer": answer,
        "code": code,
        "examples": list(enumerate(playground.examples())),
    }


def _page(
    request: HttpRequest, draft: Draft | None, answer: Answer, status: int = HTTPStatus.OK
) -> HttpResponse:
    said = answer.trouble
    context = _context(request, draft, answer)
    page = render(request, "console/create.html", context, status=said.status if said else status)
    if said is not None and said.wait:
        page.headers["Retry-After"] = str(said.wait)
    return page


def _part(request: HttpRequest, draft: Draft, answer: Answer) -> HttpResponse:
    """The part for htmx: the fields and their price, or the images, or the code if it is shown."""
    target = request.headers.get("HX-Target")
    if target == "images":
        context = _context(request, draft, answer) | {"is_part": True}
        part = render(request, "console/parts/create_images.html", context)
        part.headers["HX-Trigger-After-Swap"] = "images"  # their number bounds the durations
        return part
    if target != "options":
        if not answer.has_code:
            return HttpResponse(status=HTTPStatus.NO_CONTENT)
        return render(request, "console/parts/create_code.html", _context(request, draft, answer))
    is_other_model = draft.shown[0] != draft.model.name
    context = _context(request, draft.fitting(), answer)
    context |= {"is_part": True, "images_too": is_other_model}
    return render(request, "console/parts/create_parts.html", context)

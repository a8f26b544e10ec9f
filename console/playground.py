"""What is in the playground at the moment: a model, texts, images, and what they would cost."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from accounts.caller import Caller
from accounts.models import Account
from common import ids
from common.errors import NotFound
from console import snippets
from console.forms.create import IMAGES, MODEL, TYPED, CreateForm, body_of, texts_of
from generation.api import ordering
from generation.inputs.images import SCHEME, first_unusable
from generation.models import CatalogModel, Generation
from generation.offer import availability, catalog
from generation.offer.parameters import NAMES, Parameters, faults
from generation.offer.pricing import price_of

SHOWN_MODEL, SHOWN_PRICE, NAME = "shown_model", "max_credits", "form"
KEY = "console-{}"  # an idempotency key; nobody can guess a form's name
PATH = "console"  # what "the same request" means: this and the fields
PRICE = re.compile(r"\d{1,9}", re.ASCII)
MOST_IMAGES = 20  # entries that are read; a model takes three


@dataclass(frozen=True, slots=True)
class Card:
    """A model as it is offered."""

    name: str
    quality: str
    kind: str
    price: int
    estimated_time: str
    is_available: bool
    is_chosen: bool


@dataclass(frozen=True)
class Draft:
    """``name`` is the form's own; ``address`` is where it is sent to."""

    model: CatalogModel
    values: Mapping[str, str]
    images: tuple[str, ...]
    name: uuid.UUID
    address: str
    shown: tuple[str, str] = ("", "")  # model and price on the page that was sent
    model_is_gone: bool = False

    @cached_property
    def form(self) -> CreateForm:
        return CreateForm(self.model, self.images, self.values, self.address)

    @cached_property
    def body(self) -> dict[str, Any]:
        """The body of the order, as a program would send it."""
        return body_of(self.model, self.values, self.images)

    @cached_property
    def asked(self) -> Parameters:
        """The parameters that are priced.

        A faulty value counts as the default here; the order refuses it.
        """
        return Parameters.filled(self.model, _without_faults(self.model, self.body))

    @property
    def price(self) -> int:
        return price_of(self.model, self.asked)

    @property
    def estimated_time(self) -> str:
        return catalog.estimated_time(self.model, self.asked)

    @property
    def is_as_shown(self) -> bool:
        """Whether the person has seen this model's fields and this price."""
        return self.shown == (self.model.name, str(self.price))

    @property
    def most_images(self) -> int:
        return self.model.able.max_images

    @property
    def entries(self) -> list[tuple[int, str, bool]]:
        """Number, text, and whether it was uploaded; an empty row is added if one more fits."""
        room = [""] if len(self.images) < self.most_images else []
        named = enumerate((*self.images, *room))
        return [(number, text, text.startswith(SCHEME)) for number, text in named]

    @property
    def cards(self) -> list[Card]:
        return [
            Card(
                name=model.name,
                quality=model.quality,
                kind=model.kind,
                price=price_of(model, Parameters.filled(model, {})),
                estimated_time=model.estimated_time,
                is_available=not availability.paused_for(model),
                is_chosen=model.name == self.model.name,
            )
            for model in offered()
        ]

    def code(self, base_url: str) -> list[snippets.Snippet]:
        """The same values as a program sends them."""
        return snippets.of_order(self.model.kind, self.body, base_url)

    def request(self, caller: Caller) -> ordering.Request:
        """The order of its content. It costs at most what was shown, or nothing is ordered."""
        shown = self.shown[1]
        most = int(shown) if PRICE.fullmatch(shown) else self.price
        return ordering.Request(
            caller=caller,
            kind=self.model.kind,
            body=self.body | {"max_credits": most},
            path=PATH,
            idempotency_key=KEY.format(self.name),
            event_data={"via": "console"},
        )

    def renamed(self) -> Draft:
        """The same draft under a new name, for another order."""
        return replace(self, name=uuid.uuid4())

    def fitting(self) -> Draft:
        """The draft without values that the model does not offer, after the model was changed."""
        usable = _without_faults(self.model, self.body)
        wrong = self.body.keys() - usable.keys()
        return replace(self, values={n: v for n, v in self.values.items() if n not in wrong})

    def with_image(self, entry: str) -> Draft:
        return replace(self, images=(*self.images, entry))

    def without_image(self, number: str) -> Draft:
        kept = (each for n, each in enumerate(self.images) if str(n) != number)
        return replace(self, images=tuple(kept))


def offered() -> list[CatalogModel]:
    """The models that can be chosen. Of image models only the first: the API makes that one."""
    videos = catalog.on_sale(CatalogModel.Kind.VIDEO)
    return videos + catalog.on_sale(CatalogModel.Kind.IMAGE)[:1]


def empty(address: str, prompt: str = "", model: str = "") -> Draft | None:
    """A draft with the defaults and perhaps a prompt; None while nothing is on sale."""
    models = offered()
    if not models:
        return None
    chosen = catalog.pick(models, model) or models[0]
    values = texts_of(_parameters(Parameters.filled(chosen, {})))
    return Draft(chosen, values | {"prompt": prompt}, (), uuid.uuid4(), address)


def sent(data: QueryDict, address: str) -> Draft | None:
    """The draft of a form that was sent; None while nothing is on sale."""
    models = offered()
    if not models:
        return None
    wanted = data.get(MODEL, "")
    chosen = catalog.pick(models, wanted)
    entries = [each.strip() for each in data.getlist(IMAGES)[:MOST_IMAGES]]
    return Draft(
        model=chosen or models[0],
        values={name: data.get(name, "") for name in TYPED if name in data},
        images=tuple(each for each in entries if each),
        name=_name(data.get(NAME, "")) or uuid.uuid4(),
        address=address,
        shown=(data.get(SHOWN_MODEL, ""), data.get(SHOWN_PRICE, "")),
        model_is_gone=bool(wanted) and chosen is None,
    )


def again(before: Generation, address: str) -> Draft | None:
    """The draft of an earlier order, as far as it is still offered; None if nothing is on sale."""
    models = offered()
    if not models:
        return None
    asked = Parameters.of(before.kind, before.parameters)
    same_kind = [model for model in models if model.kind == before.kind] or models
    chosen = catalog.pick(models, before.model_id) or same_kind[0]
    images = [each for each in asked.source_image_urls if each][: chosen.able.max_images]
    while (lost := first_unusable(before.account_id, images)) is not None:
        del images[lost]
    values = texts_of(_parameters(asked)) | {"prompt": before.prompt}
    return Draft(chosen, values, tuple(images), uuid.uuid4(), address).fitting()


def made_by(account: Account, name: str) -> Generation | None:
    """What a form of this name has ordered already; the browser's Back shows that form again."""
    if (known := _name(name)) is None:
        return None
    key = KEY.format(known)
    return Generation.objects.filter(account=account, idempotency_key=key).first()


def named(draft: Draft, name: str) -> Draft:
    """The draft under the name of an earlier page, if ``name`` is one."""
    known = _name(name)
    return draft if known is None else replace(draft, name=known)


def examples() -> Sequence[str]:
    """Prompts for people who do not know what to ask for."""
    return (
        _("A red fox runs through fresh snow at sunrise, slow motion, cinematic"),
        _("A paper boat sails down a rainy street, close to the water, warm light"),
        _("A cup of coffee on a wooden table, steam rises, the camera moves closer"),
    )


def _name(text: str) -> uuid.UUID | None:
    try:
        return ids.parse(text)
    except NotFound:
        return None


def _parameters(asked: Parameters) -> dict[str, Any]:
    return {name: getattr(asked, name) for name in NAMES}


def _without_faults(model: CatalogModel, body: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a body that have the right type and that the model's row offers."""
    types = {"duration": int, "seed": int, "generate_audio": bool, IMAGES: list}
    right = {n: v for n, v in body.items() if isinstance(v, types.get(n, str))}
    for _round in range(2):  # a duration may be wrong only because of a wrong resolution
        wrong = faults(model, right)
        right = {name: value for name, value in right.items() if name not in wrong}
    return right

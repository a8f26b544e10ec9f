"""``manage.py catalog [NAME] [what to change] --reason TEXT``."""

from __future__ import annotations

import argparse
import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from generation.models import CatalogModel
from generation.offer import catalog as offer
from generation.offer import pricing
from generation.offer.parameters import Parameters
from generation.provider.standing import standings
from staff.catalog import change_by
from staff.pages.catalog_form import CELLS, LIMITS, CatalogForm

BY = "manage.py catalog"
CELL = ":".join(next(iter(CELLS.values())))
LISTS = ("durations", "resolutions")
PLAIN = ("backend", "location", "provider_model", "provider_model_fallback", "audio")
NUMBERS = ("default_duration", "seed_max", "max_images", "submits_per_minute")
FLAGS = ("enabled", "negative_prompt")


class Command(BaseCommand):
    """Changes one row as its page does: judged by the same form, audited, in force in a second."""

    help = "Show the catalog, or change a model of it; prints JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", nargs="?", help="of the model; all of them without it")
        parser.add_argument("--reason", help="why, for the audit log; needed for a change")
        both = argparse.BooleanOptionalAction
        group = parser.add_mutually_exclusive_group()
        group.add_argument("--enable", dest="enabled", action="store_const", const=True)
        group.add_argument("--disable", dest="enabled", action="store_const", const=False)
        parser.add_argument("--backend")
        parser.add_argument("--location", help="'' = the backend's own")
        parser.add_argument("--provider-model", help="'' = the setting's")
        parser.add_argument("--fallback", dest="provider_model_fallback", help="'' = none")
        parser.add_argument(
            *("--price", "-p"),
            action="append",
            default=[],
            metavar="[RESOLUTION:SOUND=]CREDITS",
            help="of an image; or for 8 s of a video, such as 1080p:audio=288, 1080p:silent=240",
        )
        parser.add_argument("--resolutions", help="such as 720p,1080p; the first is the default")
        parser.add_argument("--durations", help="seconds, such as 4,6,8")
        parser.add_argument("--default-duration")
        parser.add_argument(
            "--durations-where",
            action="append",
            default=[],
            metavar="WHERE=SECONDS",
            help="where fewer are possible: 1080p=8, or 3=8 with 3 source images; 3= for all",
        )
        parser.add_argument("--audio", choices=("optional", "always", "never"))
        parser.add_argument("--negative-prompt", action=both)
        parser.add_argument("--seed-max", help="'' = it takes none")
        parser.add_argument("--max-images")
        parser.add_argument("--submits-per-minute", help="what the provider's quota lets through")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the rows as they are now, and what changed."""
        name = options["name"]
        sent = _sent(options)
        if name is None and sent:
            raise CommandError("Name the model to change")
        changes = self._change(name, sent, options["reason"]) if sent else {}
        told = {each.model: each.warnings for each in standings()}
        rows = CatalogModel.objects.all() if name is None else [_row(name)]
        shown = [_shown(row) | {"warnings": told[row.name]} for row in rows]
        self.stdout.write(json.dumps({"models": shown, "changes": changes}, indent=1))

    def _change(self, name: str, sent: dict[str, Any], reason: str | None) -> dict[str, Any]:
        with transaction.atomic():
            row = CatalogModel.objects.select_for_update().get(pk=_row(name).pk)
            blank = CatalogForm(instance=row)
            data = {
                each: blank.get_initial_for_field(field, each)
                for each, field in blank.fields.items()
            }
            if row.kind == CatalogModel.Kind.VIDEO and "price" in sent:
                raise CommandError(f"--price: name the cell, such as {CELL}=240")
            unknown = sorted(set(sent) - set(data))
            if unknown:
                raise CommandError(f"{name} has no {', '.join(unknown)}")
            form = CatalogForm(data | sent | {"reason": reason or ""}, instance=row)
            if not form.is_valid():
                faults = [
                    f"{field}: {' '.join(map(str, said))}" for field, said in form.errors.items()
                ]
                raise CommandError("\n".join(faults))
            return dict(change_by(BY, row, form.changed_data, form.cleaned_data["reason"]))


def _row(name: str) -> CatalogModel:
    found = CatalogModel.objects.filter(pk=name).first()
    if found is None:
        names = ", ".join(CatalogModel.objects.values_list("name", flat=True))
        raise CommandError(f"No model is called {name}; there are {names}")
    return found


def _sent(options: dict[str, Any]) -> dict[str, Any]:
    """What is to change, by the form's fields."""
    sent = {each: options[each] for each in (*PLAIN, *NUMBERS, *FLAGS) if options[each] is not None}
    for each in LISTS:
        if options[each] is not None:
            sent[each] = [part.strip() for part in options[each].split(",")]
    for text in options["price"]:
        where, _, price = text.rpartition("=")
        sent[_field("--price", CELLS, where) if where else "price"] = price
    for text in options["durations_where"]:
        where, _, seconds = text.partition("=")
        sent[_field("--durations-where", LIMITS, where)] = seconds
    return sent


def _field(option: str, fields: dict[str, tuple[str, str]], where: str) -> str:
    """The field of ``1080p:audio`` or ``1080p``. Raises CommandError."""
    known = {":".join(key) if option == "--price" else key[1]: name for name, key in fields.items()}
    if where not in known:
        raise CommandError(f"{option}: {where!r} is none of {', '.join(known)}")
    return known[where]


def _shown(row: CatalogModel) -> dict[str, Any]:
    video = row.kind == CatalogModel.Kind.VIDEO
    return {
        "name": row.name,
        "enabled": row.enabled,
        "backend": row.backend,
        "location": row.location,
        "provider_model": row.provider_model or offer.provider_model(row),
        "fallback": row.provider_model_fallback,
        "submits_per_minute": row.submits_per_minute,
        "prices": pricing.prices(row) if video else pricing.unit_price(row, Parameters()),
        "abilities": row.abilities,
    }

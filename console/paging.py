"""Pages of a list, by the API's cursors: they do not shift when rows are added."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from common.api import pagination
from common.errors import InvalidRequest

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """``rows``, the newest first, and the addresses of the neighbouring pages."""

    rows: list[Row]
    earlier: str | None
    later: str | None


def page_of(
    request: HttpRequest,
    rows: QuerySet[Row],
    fields: tuple[str, ...],
    read: Callable[[list[Any]], list[Row]] | None = None,
) -> Page[Row]:
    """The page that the address asks for. Raises InvalidRequest for an address of no page."""
    try:
        found = pagination.paginate(Request(request), rows, fields, read)
    except InvalidRequest as error:
        raise InvalidRequest(_("There is no such page of this list")) from error
    return Page(found.rows, _here(found.next), _here(found.previous))


def _here(link: str | None) -> str | None:
    """The link without scheme and host, so that customers stay at the host name that they use."""
    return None if link is None else urlsplit(link)._replace(scheme="", netloc="").geturl()

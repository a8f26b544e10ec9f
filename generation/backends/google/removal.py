"""Deletes the objects in a folder of Cloud Storage, and nothing else."""

from __future__ import annotations

from urllib.parse import quote

from generation.backends.base import Unavailable
from generation.backends.google.http import GoogleHttp, Json, Missing
from generation.backends.google.storage import Location, is_below

_MAX_PAGES = 20


def inputs_of(place: str) -> str:
    """The folder of an attempt's inputs: beside its place, so that none is taken for an output."""
    return f"{place.removesuffix('/')}.inputs/"


async def remove_all(http: GoogleHttp, base_url: str, folder: str) -> None:
    """Delete all objects below ``folder``, a ``gs://bucket/…/``. Raises Unavailable.

    Objects may be gone already, and so may the bucket.
    """
    place = Location.parse(folder)
    if place is None or not place.name.endswith("/"):
        raise Unavailable("not a folder of outputs")
    objects = f"{base_url}/storage/v1/b/{place.bucket}/o"
    params = {"prefix": place.name, "fields": "items(name)"}
    for _ in range(_MAX_PAGES):  # always the first page: what it named is gone the next time
        try:
            names = _names(await http.call("GET", objects, params=params))
        except Missing:
            return
        if not names:
            return
        for name in names:
            if not is_below(f"gs://{place.bucket}/{name}", folder):
                raise Unavailable("the list of outputs names something else")
            await http.delete(f"{objects}/{quote(name, safe='')}")
    raise Unavailable("the list of outputs does not end")


def _names(page: Json) -> list[str]:
    items = page.get("items")
    found = (
        [item.get("name") for item in items if isinstance(item, dict)]
        if isinstance(items, list)
        else []
    )
    return [name for name in found if isinstance(name, str)]

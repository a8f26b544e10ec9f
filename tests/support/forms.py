"""A form of a page as a browser would send it: every field with the value that it shows."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

Fields = dict[str, list[str]]


class _Reader(HTMLParser):
    def __init__(self, form: str) -> None:
        super().__init__()
        self.fields: Fields = {}
        self._form, self._inside = form, False
        self._area: str | None = None
        self._text = ""
        self._select: str | None = None
        self._options: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = found.get("id") == self._form
        if not self._inside:
            return
        name, kind = found.get("name", ""), found.get("type", "text")
        if tag == "input" and name and kind != "file":
            if kind not in ("radio", "checkbox") or "checked" in found:
                self._add(name, found.get("value", ""))
        elif tag == "textarea":
            self._area, self._text = name, ""
        elif tag == "select":
            self._select, self._options = name, []
        elif tag == "option":
            self._options.append((found.get("value", ""), "selected" in found))

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "textarea" and self._area is not None:
            self._add(self._area, self._text.removeprefix("\n"))
            self._area = None
        elif tag == "select" and self._select is not None:
            chosen = [value for value, is_chosen in self._options if is_chosen]
            self._add(self._select, (chosen or [self._options[0][0]])[0])
            self._select = None

    def _add(self, name: str, value: str) -> None:
        self.fields.setdefault(name, []).append(value)


def fields_of(page: str, form: str) -> Fields:
    """Of the form with this id. Each name has a list, as a form may send it more than once."""
    reader = _Reader(form)
    reader.feed(page)
    assert reader.fields, f"no form {form}"
    return reader.fields


def filled(page: str, form: str, /, **changes: Any) -> Fields:
    """The same, with other values typed into some fields."""
    typed = {n: v if isinstance(v, list) else [str(v)] for n, v in changes.items()}
    return fields_of(page, form) | typed

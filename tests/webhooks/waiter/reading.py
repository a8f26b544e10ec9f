"""Reading server-sent events, as a client does (HTML, section 9.2.6)."""

from __future__ import annotations


def parsed(text: str) -> list[dict[str, str]]:
    """The blocks of a stream, each with its fields; comments are fields without a name."""
    assert text.endswith("\n\n"), text
    found = []
    for block in text.removesuffix("\n\n").split("\n\n"):
        lines = [line.partition(": ") for line in block.split("\n")]
        found.append({name: value for name, _, value in lines})
        assert len(found[-1]) == len(lines), block
    return found

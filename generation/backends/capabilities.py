"""What each backend can do. A web process reads it here, and loads no backend and no SDK."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["video", "image"]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a backend can do; constants of its class. The catalog page holds rows to them.

    ``recovers``: ``find_output`` sees what an unanswered submit made. ``dedupes``: the provider
    recognises the token of a request, so that the same attempt might be sent again.
    ``remembers``: it keeps prompt and inputs until ``forget``. ``poll_floor`` is the least time
    between two polls of an operation, in seconds. ``durations`` and ``resolutions`` are the widest
    of any of its models; ``silent``, ``audible`` and ``negative_prompt`` say what may be asked for.
    ``location`` is the only one where it can be asked; empty = the deployment's or the row's.
    """

    kinds: frozenset[Kind]
    durations: range
    resolutions: tuple[str, ...]
    silent: bool
    audible: bool
    negative_prompt: bool
    seed_max: int | None
    max_images: int
    recovers: bool = True
    dedupes: bool = False
    remembers: bool = False
    poll_floor: float = 0.0
    location: str = ""


VERTEX = Capabilities(
    kinds=frozenset({"video", "image"}),
    durations=range(4, 9, 2),
    resolutions=("720p", "1080p", "4k"),
    silent=True,
    audible=True,
    negative_prompt=True,
    seed_max=2**32 - 1,
    max_images=3,
)
INTERACTIONS = Capabilities(
    kinds=frozenset({"video"}),
    durations=range(3, 16),
    resolutions=("720p", "1080p", "4k"),
    silent=False,
    audible=True,
    negative_prompt=False,
    seed_max=2**32 - 1,  # whether a model takes more than 2**31 - 1 its row says
    max_images=3,
    remembers=True,
    location="global",
)
# By the name that a catalog row, a generation and an attempt keep of their backend.
CAPABILITIES: dict[str, Capabilities] = {"vertex": VERTEX, "interactions": INTERACTIONS}

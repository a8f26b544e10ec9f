"""How to write a backend: the class that talks to one provider.

Every call of a backend may be repeated by the lifecycle after a crash, except ``submit``, which
buys something and therefore is asked once per :class:`Attempt` row:

``place_for``
    Name the place where an attempt's output will lie. Nobody but the backend reads it. It may be
    empty for a provider that takes no place.
``submit``
    Ask for one output. The answer is :class:`Accepted` (a long-running operation, to be polled) or
    :class:`Produced` (the provider answered with the media at once; the backend has already written
    it into the attempt's place, so that it can be found again).
``poll``
    Look at an operation, knowing nothing but its name and its place.
``find_output``
    Look into an attempt's place: what is there was paid for, whether or not we heard the answer.
``fetch_output``
    Copy one output into a local file and check that it arrived whole.
``remove_outputs``
    Delete what lies in an attempt's place and beside it, which are the provider's copies.
``forget``
    Delete what the provider remembers of an operation: prompt and inputs.
``knows``
    Ask, free of charge, whether the provider knows a model id.

What each error makes the lifecycle do:

==================  =========================================================================
:class:`NotAccepted`   certainly not bought: back to ``queued``, asked again later
:class:`Unknown`       may have been bought: ``submit_unknown``, never simply asked again
:class:`ModelGone`     certainly not bought: the model id is unknown, or not for us (404, 403)
:class:`Rejected`      a final no: ``failed``, refunded, with the reason shown to the customer
:class:`Unavailable`   a read did not work: the same read is repeated later
:class:`OperationGone` the operation is not known any more: look into the place, else ``failed``
:class:`DamagedOutput` the file is not whole: fetched again a few times, else ``failed``
==================  =========================================================================

A backend never retries, never sleeps, never touches a model or the database, and puts a time limit
on every call. It belongs to one event loop, the one it is first used in.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from generation.backends.capabilities import Capabilities, Kind
from generation.backends.failures import (
    BackendError,
    DamagedOutput,
    FailureCode,
    ModelGone,
    NotAccepted,
    OperationGone,
    Rejected,
    Unavailable,
    Unknown,
)

__all__ = [
    "Accepted",
    "Backend",
    "BackendError",
    "Capabilities",
    "DamagedOutput",
    "FailureCode",
    "Fetched",
    "Kind",
    "ModelGone",
    "NotAccepted",
    "OperationGone",
    "Produced",
    "Reader",
    "Rejected",
    "Running",
    "SourceImage",
    "SubmitRequest",
    "Unavailable",
    "Unknown",
]


@dataclass(frozen=True, slots=True)
class SourceImage:
    """An image we fetched and re-encoded ourselves; ``mime_type`` is image/jpeg or image/png."""

    data: bytes
    mime_type: str


@dataclass(frozen=True, slots=True)
class SubmitRequest:
    """One thing to buy.

    ``aspect_ratio`` is ``16:9`` or ``9:16`` for a video, ``1:1``, ``3:2`` or ``2:3`` for an image.
    ``source_images`` are 0 to 3: one is the first frame, two the first and the last, three
    reference images. ``place`` is this attempt's own, as ``place_for`` named it. ``duration`` in
    seconds, ``resolution``, ``audio``, ``seed`` and ``negative_prompt`` are a video's. ``token``
    names the attempt, and no other one ever: a provider that takes labels gets it as ``token``.
    """

    kind: Kind
    model: str
    prompt: str
    aspect_ratio: str
    place: str
    source_images: tuple[SourceImage, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    duration: int = 8
    resolution: str = "720p"
    audio: bool = True
    seed: int | None = None
    negative_prompt: str | None = None
    token: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider works on it; ``operation_name`` is all that is needed to poll."""

    operation_name: str


@dataclass(frozen=True, slots=True)
class Running:
    """The operation is not done yet."""


@dataclass(frozen=True, slots=True)
class Produced:
    """There is an output at ``uri``, which nobody but the backend reads.

    What it is, its bytes say when it is stored: no label of the provider's decides about it.
    ``expires_at`` is when the provider deletes it, if told. ``cost`` is what the provider says it
    bills, for operators.
    """

    uri: str
    expires_at: datetime | None = None
    cost: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole local copy: ``size`` in bytes, ``sha256`` as hex digits."""

    path: Path
    size: int
    sha256: str


class Reader(ABC):
    """The calls that buy nothing; see the module's text for what each may raise."""

    capabilities: Capabilities  # a constant of the class

    @abstractmethod
    def place_for(self, generation_id: str, number: int) -> str:
        """Where the output of this attempt will lie; without any call to anybody."""

    @abstractmethod
    async def poll(self, operation_name: str, place: str) -> Running | Produced:
        """Look at an operation. Raises Rejected, Unavailable or OperationGone.

        ``place`` is the attempt's: an output given inline is written there first, and one that an
        answer does not name is looked for there.
        """

    @abstractmethod
    async def find_output(self, place: str, kind: Kind) -> Produced | None:
        """A finished output of that kind in ``place``, or None. Raises Unavailable."""

    @abstractmethod
    async def fetch_output(self, uri: str, destination: Path) -> Fetched:
        """Copy the object into ``destination``. Raises Unavailable, DamagedOutput or OSError.

        The latter is of the local disk: whatever the network does comes as Unavailable.
        """

    @abstractmethod
    async def remove_outputs(self, place: str) -> None:
        """Delete what is in ``place`` and beside it (inputs); nothing there is fine.

        Raises Unavailable.
        """

    async def forget(self, operation_name: str, place: str) -> None:
        """Delete what the provider keeps of an attempt: prompt and inputs, not its output.

        The name is empty when no answer told it. Already gone is fine, and a provider that keeps
        nothing needs no call. Raises Unavailable.
        """
        del operation_name, place

    async def knows(self, model: str, location: str) -> bool | None:
        """Whether the provider knows the model id there; None when it cannot be told."""
        del model, location
        return None

    @abstractmethod
    async def aclose(self) -> None:
        """Close connections; the backend is not used afterwards."""


class Backend(Reader):
    """All calls: this one can also buy."""

    @abstractmethod
    async def submit(self, request: SubmitRequest) -> Accepted | Produced:
        """Buy one output. Raises NotAccepted, ModelGone, Unknown or Rejected, and nothing else."""

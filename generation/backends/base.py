"""How to write a backend: the class that talks to one provider.

A backend makes five calls, and every one of them may be repeated by the lifecycle after a crash,
except ``submit``, which buys something and therefore is asked once per :class:`Attempt` row:

``submit``
    Ask for one output. The answer is :class:`Accepted` (a long-running operation, to be polled) or
    :class:`Produced` (the provider answered with the media at once; the backend has already written
    it under the attempt's prefix, so that it can be found again).
``poll``
    Look at an operation, knowing nothing but its name.
``find_output``
    Look into an attempt's prefix: what is there was paid for, whether or not we heard the answer.
``fetch_output``
    Copy one output into a local file and check that it arrived whole.
``remove_outputs``
    Delete what lies under an attempt's prefix: the provider's copies, when ours ends, too.

What each error makes the lifecycle do:

==================  =========================================================================
:class:`NotAccepted`   certainly not bought: back to ``queued``, asked again later
:class:`Unknown`       may have been bought: ``submit_unknown``, never simply asked again
:class:`Rejected`      a final no: ``failed``, refunded, with the reason shown to the customer
:class:`Unavailable`   a read did not work: the same read is repeated later
:class:`OperationGone` the operation is not known any more: look into the prefix, else ``failed``
:class:`DamagedOutput` the file is not whole: fetched again a few times, else ``failed``
==================  =========================================================================

A backend never retries, never sleeps, never touches a model or the database, and puts a time limit
on every call. It belongs to one event loop, the one it is first used in.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal


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
    reference images. ``prefix`` is this attempt's own ``gs://bucket/…/`` and ends in a slash.
    """

    kind: Literal["video", "image"]
    model: str
    prompt: str
    aspect_ratio: str
    prefix: str
    source_images: tuple[SourceImage, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider works on it; ``operation_name`` is all that is needed to poll."""

    operation_name: str


@dataclass(frozen=True, slots=True)
class Running:
    """The operation is not done yet."""


@dataclass(frozen=True, slots=True)
class Produced:
    """There is an output at ``uri`` (``gs://bucket/name``).

    What it is, its bytes say when it is stored: no label of the provider's decides about it.
    """

    uri: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole local copy: ``size`` in bytes, ``sha256`` as hex digits."""

    path: Path
    size: int
    sha256: str


class BackendError(Exception):
    """Any answer of a provider, or lack of one, that is not a result."""


class NotAccepted(BackendError):
    """The provider certainly did not take the request.

    It said that it is busy (429, or 503 in its own words), or no connection was made.

    ``retry_after`` is the provider's own wish in seconds (0 to 600), if it had one; ``is_quota``
    is a 429.
    """

    def __init__(
        self, message: str, retry_after: float | None = None, *, is_quota: bool = False
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.is_quota = is_quota


class Unknown(BackendError):
    """The request may have been taken: no answer, a broken answer, or another 5xx."""


FailureCode = Literal["content_filtered", "provider_rejected", "provider_error", "empty_result"]


class Rejected(BackendError):
    """A final no. ``str(error)`` tells the customer what happened, without anything internal.

    ``retryable``: the same request may succeed later. The sentence says nothing about it, except
    what to change where it is not; that it may be tried again is added from the flag, in one place.
    ``category`` is the safety filter's (``violence``, ``celebrity`` …) where that is the reason;
    ``detail`` is the provider's own text, for operators only. ``operator_fault`` marks what no
    customer can mend: our credentials, our project, a model that the provider retired.
    """

    def __init__(
        self,
        code: FailureCode,
        message: str,
        *,
        category: str = "",
        support_codes: tuple[str, ...] = (),
        detail: str = "",
        retryable: bool = False,
        operator_fault: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.category = category
        self.support_codes = support_codes
        self.detail = detail
        self.retryable = retryable
        self.operator_fault = operator_fault


class Unavailable(BackendError):
    """A read (poll, list, fetch) did not work this time; ``retry_after`` in seconds if told."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class OperationGone(BackendError):
    """The provider does not know the operation (any more)."""


class DamagedOutput(BackendError):
    """The output is missing, truncated, or does not match its checksum."""


class Reader(ABC):
    """The calls that buy nothing; see the module's text for what each may raise."""

    @abstractmethod
    async def poll(self, operation_name: str, prefix: str) -> Running | Produced:
        """Look at an operation. Raises Rejected, Unavailable or OperationGone.

        ``prefix`` is the attempt's: an output given inline is written there first, and one that an
        answer does not name is looked for there.
        """

    @abstractmethod
    async def find_output(self, prefix: str) -> Produced | None:
        """A finished output under ``prefix``, or None. Raises Unavailable."""

    @abstractmethod
    async def fetch_output(self, uri: str, destination: Path) -> Fetched:
        """Copy the object into ``destination``. Raises Unavailable, DamagedOutput or OSError.

        The latter is of the local disk: whatever the network does comes as Unavailable.
        """

    @abstractmethod
    async def remove_outputs(self, prefix: str) -> None:
        """Delete everything under ``prefix``; nothing there is fine. Raises Unavailable."""

    @abstractmethod
    async def aclose(self) -> None:
        """Close connections; the backend is not used afterwards."""


class Backend(Reader):
    """All calls: this one can also buy."""

    @abstractmethod
    async def submit(self, request: SubmitRequest) -> Accepted | Produced:
        """Buy one output. Raises NotAccepted, Unknown or Rejected, and nothing else."""

"""What a provider may answer instead of a result; generation/backends/base.py says what follows."""

from __future__ import annotations

from typing import Literal


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


class ModelGone(BackendError):
    """The provider does not know the model id (any more), or not for us: certainly not bought."""


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

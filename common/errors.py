"""The errors that a client sees, whatever shape they are given (contract, section 6).

An error is a subclass of :class:`ApiError` (DRF's ``APIException``) with a ``status_code``, a
``default_code`` for programs and a ``default_detail`` for people; it lives beside the verb that
raises it. ``common/api/shape.py`` makes the API's answer of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import exceptions


class ApiError(exceptions.APIException):
    """An error that a client sees. ``extra`` adds top-level fields, ``headers`` adds headers."""

    status_code = 400
    default_code = "invalid_request"
    default_detail = "The request is invalid"

    def __init__(
        self,
        message: str | None = None,
        *,
        details: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.details = dict(details or {})
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})


class InvalidRequest(ApiError):
    """400: the client must change the request. ``details`` maps a field to one string."""


class NotFound(ApiError):
    """404, the same for what does not exist and for what belongs to somebody else."""

    status_code = 404
    default_code = "not_found"
    default_detail = "Not found"


class PreconditionFailed(ApiError):
    """412: If-Match names none of what there is."""

    status_code = 412
    default_code = "precondition_failed"
    default_detail = "No entity tag of If-Match is the current one"


class RateLimited(ApiError):
    """429: asked too often."""

    status_code = 429
    default_code = "rate_limited"
    default_detail = "Too many requests, slow down"


class ServiceUnavailable(ApiError):
    """503: not the client's fault, and worth trying again."""

    status_code = 503
    default_code = "service_unavailable"
    default_detail = "The service is temporarily unavailable, try again shortly"

    def __init__(self, message: str | None = None, retry_after: int = 2) -> None:
        super().__init__(message, headers={"Retry-After": str(retry_after)})

"""Errors in the JSON shapes of Google's APIs."""

from __future__ import annotations

from aiohttp import web

# google.rpc.Code names for the HTTP statuses that are answered here.
STATUS_NAMES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
STORAGE_REASONS = {
    400: "invalid",
    401: "authError",
    403: "forbidden",
    404: "notFound",
    412: "conditionNotMet",
    416: "requestedRangeNotSatisfiable",
}


class ApiError(Exception):
    """An answer other than success; ``code`` is the HTTP status."""

    def __init__(self, code: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.headers = headers or {}

    def response(self) -> web.Response:
        """The error as Vertex AI writes it."""
        status = STATUS_NAMES.get(self.code, "UNKNOWN")
        body = {"error": {"code": self.code, "message": str(self), "status": status}}
        return web.json_response(body, status=self.code, headers=self.headers)


class StorageError(ApiError):
    """An error as Cloud Storage's JSON API writes it."""

    def response(self) -> web.Response:
        """The error with Cloud Storage's list of reasons."""
        reason = STORAGE_REASONS.get(self.code, "backendError")
        detail = {"message": str(self), "domain": "global", "reason": reason}
        body = {"error": {"code": self.code, "message": str(self), "errors": [detail]}}
        return web.json_response(body, status=self.code, headers=self.headers)


def invalid(message: str) -> ApiError:
    """A 400 INVALID_ARGUMENT, to be raised by the caller."""
    return ApiError(400, message)

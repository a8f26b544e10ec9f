"""Why a download has no file to send."""

from __future__ import annotations

from common.errors import ApiError


class NotReady(ApiError):
    """409: there is no file yet."""

    status_code = 409
    default_code = "not_ready"
    default_detail = "The output is not ready yet"


class GenerationFailed(ApiError):
    """409: there will never be a file; ``error`` of its status says why."""

    status_code = 409
    default_code = "generation_failed"
    default_detail = "This generation failed, there will be no output"


class GenerationCanceled(ApiError):
    """409: there will never be a file."""

    status_code = 409
    default_code = "generation_canceled"
    default_detail = "This generation was canceled, there will be no output"


class OutputExpired(ApiError):
    """410: retention has deleted the file."""

    status_code = 410
    default_code = "output_expired"
    default_detail = "The output has expired and was deleted"

"""All errors that a client sees, whatever shape they are given (contract, section 6).

An error lives beside the verb that raises it; ``common/api/shape.py`` makes the API's answer of
it. DRF's own ones have their codes there.

    400 invalid_request             InvalidRequest
    400 invalid_request                 accounts.keys.TooManyKeys
    400 invalid_request                 generation.refusals.UnusableUpload
    400 invalid_request                 generation.inputs.upload_body.NoImageSent
    400 invalid_request                 generation.inputs.upload_body.UploadBroken
    400 invalid_request                 generation.inputs.upload_decoding.Animated
    400 invalid_request                 generation.inputs.upload_decoding.NotAnImage
    400 invalid_request                 generation.inputs.upload_decoding.TooManyPixels
    400 invalid_request                 signup.verification.CodeRefused
    400 invalid_request                 webhooks.api.errors.NoSuchEvent
    401 not_authenticated           NotAuthenticated
    401 invalid_credentials         InvalidCredentials
    402 insufficient_credits        generation.refusals.InsufficientCredits
    403 account_suspended           AccountSuspended
    403 email_not_verified          payments.refusals.EmailNotVerified
    403 payment_hold                payments.refusals.PaymentHold
    403 permission_denied           accounts.keys.NotByAKey
    403 permission_denied           accounts.login.NoAccount
    403 permission_denied           signup.changes.AtTheOperators
    403 registration_closed         signup.registration.RegistrationClosed
    404 not_found                   NotFound
    404 not_found                       signup.links.LinkOver
    408 request_timeout             generation.inputs.upload_body.UploadTimeout
    409 generation_canceled         generation.api.errors.GenerationCanceled
    409 generation_failed           generation.api.errors.GenerationFailed
    409 idempotency_in_progress     common.idempotency.IdempotencyInProgress
    409 idempotency_key_reused      common.idempotency.IdempotencyKeyReused
    409 not_allowed                 generation.interventions.NotAllowed (operators alone)
    409 not_allowed                 payments.interventions.NotAllowed (operators alone)
    409 not_cancelable              generation.lifecycle.NotCancelable
    409 not_ready                   generation.api.errors.NotReady
    409 price_above_max             generation.refusals.PriceAboveMax
    409 rotation_in_progress        webhooks.refusals.RotationInProgress
    409 too_many_webhook_endpoints  webhooks.refusals.TooManyWebhookEndpoints
    409 webhook_endpoint_disabled   webhooks.refusals.EndpointDisabled
    410 events_expired              webhooks.api.errors.EventsExpired
    410 output_expired              generation.api.errors.OutputExpired
    412 precondition_failed         PreconditionFailed
    413 request_too_large           generation.inputs.upload_body.UploadTooLarge
    429 purchase_limit_reached      payments.refusals.PurchaseLimitReached
    429 rate_limited                RateLimited
    429 rate_limited                    generation.refusals.TooManyUndelivered
    429 too_many_open_generations   generation.refusals.TooManyOpenGenerations
    429 too_many_open_payments      payments.refusals.TooManyOpenPayments
    429 too_many_streams            webhooks.waiter.errors.TooManyStreams
    429 upload_limit_reached        generation.inputs.uploads.UploadLimitReached
    503 model_unavailable           generation.refusals.ModelUnavailable
    503 payments_unavailable        payments.refusals.PaymentsUnavailable
    503 provider_busy               generation.refusals.ProviderBusy
    503 service_unavailable         ServiceUnavailable
    503 service_unavailable             signup.verification.NoMail
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


class NotAuthenticated(ApiError):
    """401: a request without credentials."""

    status_code = 401
    default_code = "not_authenticated"
    default_detail = "Send an API key in the header Authorization: Bearer <key>"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message, headers={"WWW-Authenticate": "Bearer"})


class InvalidCredentials(ApiError):
    """401: whatever is wrong with them, the answer is the same."""

    status_code = 401
    default_code = "invalid_credentials"
    default_detail = "The credentials are invalid"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message, headers={"WWW-Authenticate": "Bearer"})


class AccountSuspended(ApiError):
    """403: the credentials are good, their account may not use the service."""

    status_code = 403
    default_code = "account_suspended"
    default_detail = "This account is suspended"


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
    """429: so many requests in a window are too many."""

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

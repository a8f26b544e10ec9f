"""The errors with which verbs about webhooks refuse."""

from __future__ import annotations

from common.errors import ApiError

MOST_ENDPOINTS = 10  # an account


class TooManyWebhookEndpoints(ApiError):
    """409: the account has all the endpoints it may have."""

    status_code = 409
    default_code = "too_many_webhook_endpoints"
    default_detail = f"An account has at most {MOST_ENDPOINTS} webhook endpoints, delete one first"


class RotationInProgress(ApiError):
    """409: a third secret would sign."""

    status_code = 409
    default_code = "rotation_in_progress"
    default_detail = "Two secrets are still valid, wait until one ends or send force"


class EndpointDisabled(ApiError):
    """409: nothing is sent again to an endpoint that is switched off."""

    status_code = 409
    default_code = "webhook_endpoint_disabled"
    default_detail = "The endpoint is switched off, switch it on first"

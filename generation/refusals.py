"""What a create answers when it charges nothing."""

from __future__ import annotations

from common.errors import ApiError, InvalidRequest, RateLimited

CAME_TO_NOTHING = "Too many generations were canceled or failed within a day"


class PriceAboveMax(ApiError):
    """409: it costs more than the customer said he pays; nothing charged."""

    status_code = 409
    default_code = "price_above_max"


class InsufficientCredits(ApiError):
    """402, and nothing else happened."""

    status_code = 402
    default_code = "insufficient_credits"


class TooManyOpenGenerations(ApiError):
    """429: the account has as many generations open as it may."""

    status_code = 429
    default_code = "too_many_open_generations"


class TooManyUndelivered(RateLimited):
    """429: too many orders of the account came to nothing lately."""


class UnusableUpload(InvalidRequest):
    """400: a named upload cannot be used; the answer is the same whatever the reason."""

    fault = "is not an upload of this account, or it has expired"

    def __init__(self, index: int) -> None:
        sentence = f"source_image_urls[{index}] {self.fault}"
        super().__init__(sentence, details={"source_image_urls": sentence})


class ProviderBusy(ApiError):
    """503: so much waits for this model that the deadline could not be met; nothing charged."""

    status_code = 503
    default_code = "provider_busy"
    default_detail = "The provider is busy at the moment, try again in a few minutes"


class ModelUnavailable(ApiError):
    """503: the provider does not know the model at the moment; nothing charged."""

    status_code = 503
    default_code = "model_unavailable"

    def __init__(self, model: str, seconds: int) -> None:
        super().__init__(
            f"{model} is not available at the moment, try another model or try again later",
            headers={"Retry-After": str(seconds)},
        )

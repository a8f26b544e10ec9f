"""Why nothing can be bought."""

from __future__ import annotations

from common.errors import ApiError


class PaymentsUnavailable(ApiError):
    """503: nothing is sold here, or Stripe refused the order for good."""

    status_code = 503
    default_code = "payments_unavailable"
    default_detail = "Payments are not available at the moment"

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "60"})


class EmailNotVerified(ApiError):
    """403: no owner of the account has proven an e-mail address."""

    status_code = 403
    default_code = "email_not_verified"
    default_detail = "Verify your e-mail address to buy credits"


class PaymentHold(ApiError):
    """403: a payment of the account was disputed; a person lifts the hold."""

    status_code = 403
    default_code = "payment_hold"
    default_detail = "Buying credits is on hold for this account, contact support"


class PurchaseLimitReached(ApiError):
    """429: with this purchase the account would spend more than it may in 24 hours."""

    status_code = 429
    default_code = "purchase_limit_reached"


class TooManyOpenPayments(ApiError):
    """429: the account has as many payments open as it may."""

    status_code = 429
    default_code = "too_many_open_payments"

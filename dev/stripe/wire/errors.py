"""Errors in the shape of Stripe's API."""

from __future__ import annotations

from typing import Any

INVALID = "invalid_request_error"


class StripeError(Exception):
    """An answer other than success; ``more`` are further keys of the ``error`` object."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = INVALID,
        code: str | None = None,
        param: str | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.code = code
        self.param = param
        self.more = more

    def body(self) -> dict[str, Any]:
        """The error as Stripe writes it; keys without a value are left out."""
        error = {"code": self.code, "message": str(self), "param": self.param, "type": self.kind}
        known = {key: value for key, value in (error | self.more).items() if value is not None}
        return {"error": known}


def unknown_parameter(where: str) -> StripeError:
    return StripeError(
        f"Received unknown parameter: {where}", code="parameter_unknown", param=where
    )


def missing(where: str) -> StripeError:
    return StripeError(f"Missing required param: {where}.", code="parameter_missing", param=where)


def no_such(kind: str, name: str, param: str = "id", status: int = 404) -> StripeError:
    """Stripe says 404 for an object of the path, and 400 for one named by a parameter."""
    return StripeError(
        f"No such {kind.replace('_', ' ')}: '{name}'",
        status=status,
        code="resource_missing",
        param=param,
    )


def bad_key(shown: str) -> StripeError:
    return StripeError(f"Invalid API Key provided: {shown}", status=401)


def card_error(
    code: str, message: str, decline_code: str | None = None, **more: Any
) -> StripeError:
    """A 402: the customer's card or bank said no."""
    return StripeError(
        message, status=402, kind="card_error", code=code, decline_code=decline_code, **more
    )

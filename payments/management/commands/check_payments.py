"""``manage.py check_payments [--json]``."""

from __future__ import annotations

from django.core.management.base import CommandError
from stripe import StripeError

from credits.books import Result
from credits.management.reporting import CheckCommand
from payments.books import check_payments
from payments.mode import payments_available
from payments.stripe.connection import connect, transport
from payments.stripe.errors import meaning


class Command(CheckCommand):
    """Asks Stripe whether each payment was credited, and each refund taken back."""

    help = "Check payments against Stripe. Exit code 1 for a difference; it needs Stripe's key."
    title = "The payments"

    def check_rows(self) -> Result:
        """The last five weeks, of the key's mode."""
        if not payments_available():
            raise CommandError("There is no STRIPE_SECRET_KEY: nobody to compare with")
        http = transport()
        try:
            return check_payments(connect(http))
        except StripeError as error:
            raise CommandError(f"Stripe did not answer: {meaning(error).detail}") from error
        finally:
            http.close()

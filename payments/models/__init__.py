"""The tables of buying credits: what is sold, who bought it, what was taken back."""

from payments.models.pack import CreditPack
from payments.models.payment import Payment
from payments.models.profile import BillingProfile
from payments.models.reversal import Reversal
from payments.models.stripe_side import StripeEvent, StripeMark

__all__ = [
    "BillingProfile",
    "CreditPack",
    "Payment",
    "Reversal",
    "StripeEvent",
    "StripeMark",
]

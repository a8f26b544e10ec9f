"""The answers about payments, as the OpenAPI document describes them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from common.api.form import TrueField, serializer_of
from common.api.openapi import PageSerializer
from payments.packs import PublicPack
from payments.public import Checkout, PaymentAnswer, PublicPayment

PackSerializer = serializer_of(PublicPack, "Pack")
PaymentSerializer = serializer_of(PublicPayment, "Payment")
PaymentAnswerSerializer = serializer_of(PaymentAnswer, "PaymentAnswer")
CheckoutAnswerSerializer = serializer_of(Checkout, "CheckoutAnswer")


class PacksSerializer(serializers.Serializer[Any]):
    """What is on sale, and whether it can be bought."""

    success = TrueField()
    payments_available = serializers.BooleanField(
        help_text="Whether they can be bought at the moment."
    )
    packs = PackSerializer(many=True)


class PaymentsSerializer(PageSerializer):
    """A page of payments, newest first."""

    results = PaymentSerializer(many=True)

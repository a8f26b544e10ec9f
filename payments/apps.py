from __future__ import annotations

from django.apps import AppConfig

from payments import checks


class PaymentsConfig(AppConfig):
    name = "payments"

    def ready(self) -> None:
        checks.register_all()

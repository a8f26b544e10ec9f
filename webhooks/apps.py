"""Django's registration of the app. Its tables are those of ``events``."""

from django.apps import AppConfig

from webhooks import checks


class WebhooksConfig(AppConfig):
    name = "webhooks"

    def ready(self) -> None:
        checks.register_all()

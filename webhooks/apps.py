"""Django's registration of the app. Its tables are those of ``events``."""

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "webhooks"

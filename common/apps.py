"""Django's registration of the app."""

from django.apps import AppConfig

from common import checks


class CommonConfig(AppConfig):
    name = "common"

    def ready(self) -> None:
        checks.register_all()

"""Django's registration of the app."""

from django.apps import AppConfig

from credits import checks


class CreditsConfig(AppConfig):
    name = "credits"

    def ready(self) -> None:
        checks.register_all()

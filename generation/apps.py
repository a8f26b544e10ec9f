"""Django's registration of the app."""

from django.apps import AppConfig

from generation import checks


class GenerationConfig(AppConfig):
    name = "generation"

    def ready(self) -> None:
        checks.register_all()

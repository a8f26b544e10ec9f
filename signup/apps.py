"""Django's registration of the app."""

from django.apps import AppConfig

from signup import checks


class SignupConfig(AppConfig):
    name = "signup"

    def ready(self) -> None:
        checks.register_all()

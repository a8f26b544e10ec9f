"""Django's registration of the app."""

from django.apps import AppConfig

from mail import checks


class MailConfig(AppConfig):
    name = "mail"

    def ready(self) -> None:
        checks.register_all()

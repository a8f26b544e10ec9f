"""Django's registration of the app."""

from django.apps import AppConfig


class CreditsConfig(AppConfig):
    """Follows the package's name."""

    name = "credits"

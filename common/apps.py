"""Django's registration of the app."""

from django.apps import AppConfig


class CommonConfig(AppConfig):
    """Follows the package's name."""

    name = "common"

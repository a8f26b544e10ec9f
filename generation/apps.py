"""Django's registration of the app."""

from django.apps import AppConfig


class GenerationConfig(AppConfig):
    """Follows the package's name."""

    name = "generation"

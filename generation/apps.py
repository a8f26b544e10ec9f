"""Django's registration of the app."""

from django.apps import AppConfig

from generation import checks


class GenerationConfig(AppConfig):
    """Follows the package's name."""

    name = "generation"

    def ready(self) -> None:
        """Register the system checks."""
        checks.register_all()

"""Django's registration of the app."""

from django.apps import AppConfig

from credits import checks


class CreditsConfig(AppConfig):
    """Follows the package's name."""

    name = "credits"

    def ready(self) -> None:
        """Register the system checks."""
        checks.register_all()

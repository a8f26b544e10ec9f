"""Django's registration of the app."""

from django.apps import AppConfig

from common import checks


class CommonConfig(AppConfig):
    """Follows the package's name."""

    name = "common"

    def ready(self) -> None:
        """Register the system checks."""
        checks.register_all()

"""Django's registration of the app."""

from django.apps import AppConfig


class StaffConfig(AppConfig):
    """Follows the package's name."""

    name = "staff"

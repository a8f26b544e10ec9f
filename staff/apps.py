"""Django's registration of the app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.module_loading import import_string


class StaffConfig(AppConfig):
    name = "staff"

    def ready(self) -> None:
        """Keep the groups in step with the table of roles, and record refused log-ins."""
        # by name, since this module is loaded before the models
        post_migrate.connect(import_string("staff.roles.sync"), sender=self)
        import_string("accounts.login.refused").connect(
            import_string("staff.refusals.record_refusal")
        )

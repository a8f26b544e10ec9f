"""The app config that puts our site in the place of Django's own."""

from django.contrib.admin.apps import AdminConfig


class StaffAdminConfig(AdminConfig):
    """``django.contrib.admin``, whose ``site`` is ours."""

    default_site = "staff.site.OperatorSite"

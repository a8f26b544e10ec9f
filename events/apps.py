"""Django's registration of the app."""

from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "events"

"""Brings up everything the product needs on one machine: real PostgreSQL, real Valkey, the
provider's emulator, web, workers and beat. It starts programs and imports none of the apps.
"""


class StackError(RuntimeError):
    """Something could not be started or died; the message is meant to be read by a person."""

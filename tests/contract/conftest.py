"""The emulator and the stages, as the tests of generations have them."""

from tests.support.works import start

__all__ = ["start"]

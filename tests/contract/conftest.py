"""The emulator and the stages, as the tests of generations have them."""

from tests.generation.conftest import start

__all__ = ["start"]

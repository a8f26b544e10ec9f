"""The emulator and the stages, as the tests of generations have them."""

from tests.generation.conftest import _nothing_remembered, start

__all__ = ["_nothing_remembered", "start"]

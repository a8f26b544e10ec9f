"""What the stages do with a due row. Each step waits for the network; each finish writes back."""

from generation.stages.base import StageBase
from generation.stages.poll import PollStage
from generation.stages.store import StoreStage
from generation.stages.submit import SubmitStage

__all__ = ["PollStage", "StageBase", "StoreStage", "SubmitStage"]

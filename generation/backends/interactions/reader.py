"""The calls that cost nothing: look at interactions, find their videos, have them forgotten.

``generation/backends/base.py`` says what each error means.
"""

from __future__ import annotations

from dataclasses import replace

from generation.backends.base import OperationGone, Produced, Running
from generation.backends.capabilities import INTERACTIONS
from generation.backends.google.http import MIB, Json, Missing
from generation.backends.google.inline import InlineVideo
from generation.backends.google.locations import vertex_url
from generation.backends.google.reader import GoogleReader
from generation.backends.google.removal import inputs_of, remove_all
from generation.backends.interactions.interaction import (
    LOCATION,
    InteractionName,
    Unnamed,
    read_interaction,
    required_name,
)

API_VERSION = "v1beta1"  # the only one with interactions
# Nothing of ours makes a longer answer: inputs lie in the bucket, and so do videos.
MAX_INTERACTION = 2 * MIB
# The revision whose answers have steps; what Google makes of older ones is read as well.
REVISION = {"Api-Revision": "2026-05-20"}


class InteractionsReader(GoogleReader):
    """One project's Gemini Omni on Vertex AI: GoogleReader says what its arguments are."""

    capabilities = INTERACTIONS

    async def poll(self, operation_name: str, place: str) -> Running | Produced:
        """Look at an interaction; see :meth:`Backend.poll`."""
        name = required_name(operation_name)
        try:
            answer = await self._polls.get(
                f"{self._interaction_url(name)}?stream=false&include_input=false",
                headers=REVISION,
                max_answer=MAX_INTERACTION,
            )
        except Missing:
            raise OperationGone("the provider does not know the interaction") from None
        return await self._outcome(answer, name, place)

    async def forget(self, operation_name: str, place: str) -> None:
        """Delete an interaction, and our copies of its inputs; see :meth:`Backend.forget`."""
        name = InteractionName.parse(operation_name)
        if name is not None:  # else there is nothing that could be known
            await self._http.delete(self._interaction_url(name))
        if place:
            await remove_all(self._http, self._storage_url, inputs_of(place))

    async def _outcome(self, answer: Json, name: InteractionName, place: str) -> Running | Produced:
        outcome = read_interaction(answer, name, place)
        if isinstance(outcome, InlineVideo):
            return await self._store_video(place, outcome)
        if isinstance(outcome, Unnamed):  # a known fault of the service: the file may be there
            found = await self.find_output(place, "video")
            if found is None:
                raise outcome.refusal
            return replace(found, cost=outcome.cost)
        return outcome

    def _interaction_url(self, name: InteractionName) -> str:
        return f"{self._base_url or vertex_url(LOCATION)}/{API_VERSION}/{name.full}"

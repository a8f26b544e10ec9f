"""The calls that cost nothing: poll operations of Veo, look for outputs and fetch them.

A process that only does this need not load google-genai, whose 40 MB are most of a worker's own.
``generation/backends/base.py`` says what each error means.
"""

from __future__ import annotations

from generation.backends.base import OperationGone, Produced, Rejected, Running
from generation.backends.capabilities import VERTEX
from generation.backends.google.http import Missing
from generation.backends.google.inline import InlineVideo
from generation.backends.google.locations import vertex_url
from generation.backends.google.reader import GoogleReader
from generation.backends.vertex.operation import read_operation, required_name

API_VERSION = "v1"  # google-genai would take v1beta1


class VertexReader(GoogleReader):
    """One project's Veo and image models: GoogleReader says what its arguments are."""

    capabilities = VERTEX

    async def poll(self, operation_name: str, place: str) -> Running | Produced:
        """Look at an operation; see :meth:`Backend.poll`."""
        name = required_name(operation_name)
        base_url = self._base_url or vertex_url(name.location)
        try:
            answer = await self._polls.post(
                f"{base_url}/{API_VERSION}/{name.resource}:fetchPredictOperation",
                {"operationName": name.full},
            )
        except Missing:
            raise OperationGone("the provider does not know the operation") from None
        try:
            outcome = read_operation(answer, name, place)
        except Rejected as refused:
            # Finished, and neither a file nor a reason is named: what was billed may lie there.
            found = (
                await self.find_output(place, "video") if refused.code == "empty_result" else None
            )
            if found is None:
                raise
            return found
        if isinstance(outcome, InlineVideo):
            return await self._store_video(place, outcome)
        return outcome

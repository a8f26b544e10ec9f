"""Gemini Omni on Vertex AI, by the Interactions API.

Everything is HTTP of our own. google-genai's client for interactions is not used: it repeats what
was refused or broken, and one call of it buys two to five videos.
"""

from __future__ import annotations

import asyncio
import contextlib
import json

import httpx

from generation.backends.base import (
    Accepted,
    Backend,
    NotAccepted,
    Produced,
    Rejected,
    SubmitRequest,
    Unavailable,
    Unknown,
)
from generation.backends.google.errors import broken
from generation.backends.google.http import MAX_ANSWER_KEY, json_object
from generation.backends.google.locations import vertex_url
from generation.backends.google.refusals import NOT_SENT, refusal, unanswered
from generation.backends.google.removal import inputs_of
from generation.backends.interactions.interaction import LOCATION, InteractionName
from generation.backends.interactions.prompt import prompt_text
from generation.backends.interactions.reader import (
    API_VERSION,
    MAX_INTERACTION,
    REVISION,
    InteractionsReader,
)
from generation.backends.interactions.request import (
    Input,
    check_offered,
    interaction_body,
)
from generation.kinds import IMAGES

_EXTENSIONS = {kind.mime_type: kind.extension for kind in IMAGES}


class InteractionsBackend(InteractionsReader, Backend):
    """A reader that can also buy."""

    async def submit(self, request: SubmitRequest) -> Accepted | Produced:
        """Buy one video; see :meth:`Backend.submit`."""
        if not self._is_ours(request.place):
            raise broken("video", "not a place in our bucket", operator_fault=True)
        check_offered(request, self.capabilities)
        text = prompt_text(request.prompt, len(request.source_images))
        half = self._submit_timeout / 2
        deadline = asyncio.get_running_loop().time() + self._submit_timeout
        # What takes the time of the request itself makes an unknown of it, so inputs have half.
        inputs = await self._store_inputs(request, deadline - half)
        body = json.dumps(interaction_body(request, text, inputs)).encode("ascii")
        try:
            async with asyncio.timeout_at(deadline):
                response = await self._create(body)
        except (*NOT_SENT, httpx.HTTPError, TimeoutError) as error:
            # "from None": the request, which quotes the prompt, stays out of logs.
            raise unanswered(error) from None
        if response.status_code == 401:
            self._token.doubt()
        if not response.is_success:
            raise refusal(response.status_code, response.headers, response.content, request.kind)
        return await self._accepted(response.content, request.place, deadline)

    async def _store_inputs(self, request: SubmitRequest, deadline: float) -> list[Input]:
        """Put the source images beside the place. Raises NotAccepted: nothing was asked for."""
        inputs = []
        try:
            async with asyncio.timeout_at(deadline):
                for number, image in enumerate(request.source_images):
                    extension = _EXTENSIONS[image.mime_type]
                    uri = f"{inputs_of(request.place)}{number}.{extension}"
                    await self._outputs.write(uri, image.data, image.mime_type)
                    inputs.append(Input(uri, image.mime_type))
        except (Unavailable, TimeoutError) as error:
            raise NotAccepted(f"a source image was not stored: {error}") from None
        return inputs

    async def _create(self, body: bytes) -> httpx.Response:
        """The one request, which nobody repeats."""
        base_url = self._base_url or vertex_url(LOCATION)
        return await self._client.post(
            f"{base_url}/{API_VERSION}/projects/{self._project}/locations/{LOCATION}/interactions",
            content=body,
            headers={
                "Content-Type": "application/json",
                **REVISION,
                **await self._token.headers(),
            },
            timeout=self._submit_timeout,
            extensions={MAX_ANSWER_KEY: MAX_INTERACTION},
        )

    async def _accepted(self, content: bytes, place: str, deadline: float) -> Accepted | Produced:
        """What an answer says that took the request; one that ended already is judged at once."""
        answer = json_object(content)
        name = InteractionName.of_answer(answer, self._project) if answer is not None else None
        if answer is None or name is None:
            raise Unknown("accepted without a usable id")
        try:
            async with asyncio.timeout_at(deadline):
                outcome = await self._outcome(answer, name, place)
        except (Unavailable, TimeoutError):
            return Accepted(name.full)  # the next look tells how it is
        except Rejected:
            await self._forget_now(name, place, deadline)
            raise
        if not isinstance(outcome, Produced):
            return Accepted(name.full)
        await self._forget_now(name, place, deadline)
        return outcome

    async def _forget_now(self, name: InteractionName, place: str, deadline: float) -> None:
        """Try to delete what ended at once, whose name nobody keeps."""
        with contextlib.suppress(Unavailable, TimeoutError):
            async with asyncio.timeout_at(deadline):
                await self.forget(name.full, place)

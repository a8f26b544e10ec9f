"""Vertex AI's call for pictures: generateContent of the image models."""

from __future__ import annotations

import asyncio
import base64
import uuid
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from dev.emulator.errors import ApiError
from dev.emulator.image_request import ImageRequest, image_request
from dev.emulator.incoming import MODELS, check_token, loose_labels, read_json
from dev.emulator.making import Maker
from dev.emulator.models import IMAGE_MODELS, Models, model_path
from dev.emulator.options import Options
from dev.emulator.played import lost_answer, refusal
from dev.emulator.render_image import Still, pixels
from dev.emulator.rendering import Renderer
from dev.emulator.scenarios import Scenario
from dev.emulator.tally import Tally

IMAGE_TOKENS = 1290  # what the image models bill for one picture at 1K
# What a picture answers over HTTP for the google.rpc codes of the marker ``error``.
HTTP_OF_RPC = {3: 400, 7: 403, 8: 429, 13: 500, 14: 503}


class ImageApi:
    def __init__(
        self,
        options: Options,
        models: Models,
        maker: Maker,
        renderer: Renderer,
        tally: Tally,
        closing: asyncio.Event,
    ) -> None:
        self._options = options
        self._models = models
        self._maker = maker
        self._renderer = renderer
        self._tally = tally
        self._closing = closing

    def routes(self) -> list[web.RouteDef]:
        return [web.post(MODELS + ":generateContent", self.generate_content)]

    async def generate_content(self, request: web.Request) -> web.Response:
        """Make a picture and answer with it."""
        self._tally.requests["image"] += 1
        check_token(request)
        body = await read_json(request)
        model, path = request.match_info["model"], model_path(request)
        try:
            self._models.check(model, path, IMAGE_MODELS)
            wanted = await asyncio.to_thread(image_request, body)
            refused = refusal(wanted, path, self._tally)
            _check_error(wanted.scenario)
        except ApiError:
            self._tally.reject(loose_labels(body))
            raise
        if refused is not None:
            self._tally.reject(wanted.labels)
            return refused
        self._tally.accept_image(wanted.labels)
        answer, _ = await asyncio.gather(
            self._answer(wanted),
            asyncio.sleep(self._maker.latency("image", wanted.scenario)),
        )
        lost = await lost_answer(request, wanted.scenario, self._closing)
        return lost or web.json_response(_with_usage(answer, model))

    async def _answer(self, wanted: ImageRequest) -> dict[str, Any]:
        scenario = wanted.scenario
        if scenario.value("filtered") == "prompt":
            text = "The prompt was blocked by the safety settings."
            return {
                "promptFeedback": {"blockReason": "PROHIBITED_CONTENT", "blockReasonMessage": text}
            }
        if "filtered" in scenario:
            text = f"The image was blocked. Support codes: {scenario.support_code('filtered')}"
            return {
                "candidates": [{"index": 0, "finishReason": "IMAGE_SAFETY", "finishMessage": text}]
            }
        if "empty" in scenario:
            parts: list[dict[str, Any]] = [{"text": "I cannot make a picture of that."}]
        else:
            size = pixels(wanted.aspect_ratio, wanted.image_size, self._options.image_scale)
            still = Still(wanted.caption, size, wanted.seed, wanted.inputs)
            if self._options.plain:
                still = Still("", size)
            data = await self._renderer.image(still)
            if "truncated" in scenario:
                data = data[: len(data) // 2]
            self._tally.bill(wanted.labels)
            inline = {"mimeType": "image/png", "data": base64.b64encode(data).decode()}
            parts = [{"text": "Here is your picture."}, {"inlineData": inline}]
        content = {"role": "model", "parts": parts}
        return {"candidates": [{"index": 0, "content": content, "finishReason": "STOP"}]}


def _check_error(scenario: Scenario) -> None:
    if "error" in scenario:
        code = int(scenario.number("error", 13))
        raise ApiError(HTTP_OF_RPC.get(code, 500), "An internal error has occurred.")


def _with_usage(answer: dict[str, Any], model: str) -> dict[str, Any]:
    contents = [each.get("content", {}) for each in answer.get("candidates", [])]
    drawn = any("inlineData" in part for content in contents for part in content.get("parts", []))
    made = IMAGE_TOKENS if drawn else 0
    return answer | {
        "usageMetadata": {
            "promptTokenCount": 12,
            "candidatesTokenCount": made,
            "totalTokenCount": 12 + made,
        },
        "modelVersion": model,
        "createTime": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "responseId": uuid.uuid4().hex,
    }

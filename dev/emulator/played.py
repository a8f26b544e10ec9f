"""Plays the scenarios of a purchase: refused, or taken without an answer."""

from __future__ import annotations

import asyncio

from aiohttp import web

from dev.emulator.errors import ApiError, invalid
from dev.emulator.hang import hold, reset
from dev.emulator.image_request import ImageRequest
from dev.emulator.models import missing
from dev.emulator.scenarios import Scenario
from dev.emulator.tally import Tally
from dev.emulator.video_request import VideoRequest
from dev.emulator.wording import blocked_prompt, retry_after

HTML_502 = """<html><head><title>502 Server Error</title></head>
<body><h1>Error: Server Error</h1><p>The server encountered a temporary error.</p></body></html>
"""


def refusal(
    wanted: VideoRequest | ImageRequest, model_path: str, tally: Tally
) -> web.Response | None:
    """The answer (or ApiError) of a scenario in which the request is not taken, else None."""
    scenario = wanted.scenario
    if "html502" in scenario:
        return _bad_gateway()
    if "retired" in scenario:
        raise missing(model_path)
    if "rejected" in scenario:
        safety = bool(scenario.value("rejected"))
        code = scenario.support_code("rejected")
        raise invalid(blocked_prompt(code) if safety else "Request contains an invalid argument.")
    if _turned_away("busy", wanted, tally):
        quota = "aiplatform.googleapis.com/long_running_online_prediction_requests_per_base_model"
        model = model_path.rpartition("/")[2]
        message = f"Quota exceeded for {quota} with base model: {model}."
        raise ApiError(429, message, retry_after(scenario))
    if _turned_away("overloaded", wanted, tally):
        message = "The model is overloaded. Please try again later."
        raise ApiError(503, message, retry_after(scenario))
    return None


def _turned_away(word: str, wanted: VideoRequest | ImageRequest, tally: Tally) -> bool:
    """Always, or the first times that this very prompt is sent, as the marker says."""
    scenario = wanted.scenario
    if word not in scenario:
        return False
    return tally.turned_away(word, wanted.prompt) <= scenario.number(word, 10**9)


async def lost_answer(
    request: web.Request, scenario: Scenario, closing: asyncio.Event
) -> web.Response | None:
    """The fault that replaces the answer to a taken request, or None."""
    if "accepted-then-no-answer" in scenario:
        return await hold(request, closing)
    if "accepted-then-reset" in scenario:
        return reset(request)
    if "accepted-then-502" in scenario:
        return _bad_gateway()
    return None


def _bad_gateway() -> web.Response:
    return web.Response(status=502, text=HTML_502, content_type="text/html")

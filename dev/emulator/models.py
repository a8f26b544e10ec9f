"""The models that are known, and which of them are retired for the time being."""

from __future__ import annotations

from collections.abc import Container

from aiohttp import web

from dev.emulator.errors import ApiError
from dev.emulator.incoming import MODELS, check_token

FAST, STANDARD, OMNI = "fast", "standard", "omni"
VIDEO_MODELS = {
    "veo-3.1-generate-001": STANDARD,
    "veo-3.1-fast-generate-001": FAST,
    "veo-3.1-lite-generate-001": FAST,
}
IMAGE_MODELS = (
    "gemini-2.5-flash-image",
    "gemini-3.1-flash-image",
    "gemini-3-pro-image",
    "gemini-nano-banana-2.1",
)
OMNI_MODELS = (
    "gemini-omni-1.2-flash",
    "gemini-omni-1.1-flash-preview",
    "gemini-omni-flash-preview",
)
OMNI_LOCATION = "global"  # the only one of the Interactions API
KNOWN = frozenset((*VIDEO_MODELS, *IMAGE_MODELS, *OMNI_MODELS))
PUBLISHED = "/{version:v1|v1beta1}/publishers/google/models/{model:[^/:]+}"


def path_of(project: str, location: str, model: str) -> str:
    """How Vertex AI names a model: ``projects/…/locations/…/publishers/google/models/…``."""
    return f"projects/{project}/locations/{location}/publishers/google/models/{model}"


def model_path(request: web.Request) -> str:
    """The same of the called model."""
    info = request.match_info
    return path_of(info["project"], info["location"], info["model"])


def missing(path: str) -> ApiError:
    """The 404 that unknown, misspelt and retired models get alike."""
    return ApiError(
        404,
        f"Publisher Model `{path}` was not found or your project does not have access to it. "
        "Please ensure you are using a valid model version.",
    )


class Models:
    """Which models answer; operations of a model that is retired meanwhile go on."""

    def __init__(self) -> None:
        self._retired: set[str] = set()

    def check(self, model: str, path: str, known: Container[str]) -> None:
        """Raises a 404 that names ``path`` unless ``model`` is known and not retired."""
        if model not in known or model in self._retired:
            raise missing(path)

    def retire(self, model: str) -> None:
        self._retired.add(model)

    def revive(self, model: str) -> None:
        self._retired.discard(model)

    def revive_all(self) -> None:
        self._retired.clear()


class ModelsApi:
    """Tells whether a model exists, and lets a test switch it off and on."""

    def __init__(self, models: Models) -> None:
        self._models = models

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(PUBLISHED, self.probe),
            web.get(MODELS, self.probe),
            web.post("/emulator/models/{model}/{verb:retire|revive}", self.switch),
        ]

    async def probe(self, request: web.Request) -> web.Response:
        """The publisher model; Omni's are unknown everywhere but at ``global``."""
        check_token(request)
        info = request.match_info
        model, location = info["model"], info.get("location", OMNI_LOCATION)
        path = f"publishers/google/models/{model}"
        if "project" in info:
            path = path_of(info["project"], location, model)
        self._models.check(model, path, KNOWN)
        if model in OMNI_MODELS and location != OMNI_LOCATION:
            raise missing(path)
        return web.json_response(
            {
                "name": f"publishers/google/models/{model}",
                "versionId": "default",
                "openSourceCategory": "PROPRIETARY",
                "launchStage": "GA",
            }
        )

    async def switch(self, request: web.Request) -> web.Response:
        """Retire a model: 404 for submissions and probes from now on. Or revive it."""
        model, verb = request.match_info["model"], request.match_info["verb"]
        if model not in KNOWN:
            raise ApiError(404, f"No such model: {model}. Known: {', '.join(sorted(KNOWN))}.")
        if verb == "retire":
            self._models.retire(model)
        else:
            self._models.revive(model)
        return web.json_response({"model": model, "retired": verb == "retire"})

"""What every backend on Google Cloud has: a project, a bucket, a token, and connections.

``generation/backends/base.py`` says what each error means.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from google.auth.credentials import Credentials

from generation.backends.base import Fetched, Kind, Produced, Reader, Unavailable
from generation.backends.google.http import GoogleHttp, Missing, open_client
from generation.backends.google.inline import InlineVideo
from generation.backends.google.locations import LOCATION, vertex_url
from generation.backends.google.polls import PollHttp
from generation.backends.google.removal import inputs_of, remove_all
from generation.backends.google.storage import Location, Outputs
from generation.backends.google.tokens import GoogleToken
from generation.kinds import MP4

STORAGE_URL = "https://storage.googleapis.com"
PUBLISHER_VERSION = "v1"
TOKEN_LIMIT = 10.0


class GoogleReader(Reader):
    """One project's calls that buy nothing. All times in seconds; each bounds one whole call.

    ``credentials`` None means Google's application default credentials, looked up at the first
    call. ``base_url`` and ``storage_base_url`` are for the emulator; the latter follows the former.
    Operations and outputs are found by their own names: a generation that was made with another
    location or bucket is finished there. An API with only one location (``Capabilities.location``)
    ignores ``location``.
    """

    def __init__(
        self,
        *,
        project: str,
        location: str,
        bucket: str,
        credentials: Credentials | None = None,
        base_url: str = "",
        storage_base_url: str = "",
        submit_timeout: float = 60.0,
        read_timeout: float = 20.0,
        fetch_timeout: float = 60.0,
        max_connections: int = 100,
    ) -> None:
        if not project or not bucket or not LOCATION.fullmatch(location):
            raise ValueError("project, location and bucket are needed")
        self._project = project
        self._location = self.capabilities.location or location
        self._bucket = bucket
        self._base_url = _checked(base_url)
        self._submit_timeout = submit_timeout
        limit = min(TOKEN_LIMIT, submit_timeout / 3, read_timeout / 2)
        self._token = GoogleToken(credentials, limit=limit)
        self._client = open_client(max_connections)
        self._http = GoogleHttp(self._client, self._token, read_timeout)
        self._polls = PollHttp(self._http, self._token, max_connections)
        self._storage_url = _checked(storage_base_url) or self._base_url or STORAGE_URL
        self._outputs = Outputs(self._http, self._storage_url, copy_timeout=fetch_timeout)

    def place_for(self, generation_id: str, number: int) -> str:
        """A folder in the bucket, ``gs://bucket/generations/…/``."""
        return f"gs://{self._bucket}/generations/{generation_id}/{number}/"

    async def find_output(self, place: str, kind: Kind) -> Produced | None:
        """Look into a place; see :meth:`Backend.find_output`."""
        return await self._outputs.find(place, kind)

    async def fetch_output(self, uri: str, destination: Path) -> Fetched:
        """Copy an output, at most 512 MiB; see :meth:`Backend.fetch_output`."""
        return await self._outputs.fetch(uri, destination)

    async def remove_outputs(self, place: str) -> None:
        """Delete what is in a place and beside it; see :meth:`Backend.remove_outputs`."""
        for folder in (place, inputs_of(place)):
            await remove_all(self._http, self._storage_url, folder)

    async def knows(self, model: str, location: str) -> bool | None:
        """Ask for the publisher's model; see :meth:`Backend.knows`."""
        where = location or self._location
        if not LOCATION.fullmatch(where):
            return None
        base_url = self._base_url or vertex_url(where)
        path = f"{PUBLISHER_VERSION}/publishers/google/models/{quote(model, safe='')}"
        try:
            await self._http.call("GET", f"{base_url}/{path}")
        except Missing:
            return False
        except Unavailable:
            return None
        return True

    async def aclose(self) -> None:
        """Close connections; the backend is not used afterwards."""
        await self._token.aclose()
        await self._polls.aclose()
        await self._client.aclose()

    def _is_ours(self, place: str) -> bool:
        """Whether an output may be asked for there: a folder in our own bucket."""
        parsed = Location.parse(place)
        return parsed is not None and parsed.bucket == self._bucket and parsed.name.endswith("/")

    async def _store(self, uri: str, data: bytes, mime_type: str, cost: str = "") -> Produced:
        await self._outputs.write(uri, data, mime_type)
        return Produced(uri, cost=cost)

    async def _store_video(self, place: str, video: InlineVideo) -> Produced:
        uri = f"{place}sample_0.{MP4.extension}"
        return await self._store(uri, video.data, MP4.mime_type, video.cost)


def _checked(url: str) -> str:
    if url and not url.startswith(("http://", "https://")):
        raise ValueError("a base URL starts with http:// or https://")
    return url.rstrip("/")

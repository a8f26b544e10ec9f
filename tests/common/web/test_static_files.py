"""The web server sends a static file by itself, whatever was asked for."""

from __future__ import annotations

from typing import IO, Any

import pytest
from django.core.wsgi import get_wsgi_application
from django.test import RequestFactory

LARGE = "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"
RANGES = ("bytes=0-", "bytes=0-9999999", "bytes=-9", "bytes=1-2,4-5", f"bytes={'9' * 5000}-", "x")


@pytest.mark.parametrize("asked", RANGES)
def test_it_is_a_whole_file_that_the_server_can_send_alone(asked: str) -> None:
    told: list[Any] = []
    environ = RequestFactory().get(LARGE, headers={"Range": asked}).environ
    environ["wsgi.file_wrapper"] = lambda file, block_size: file
    application: Any = get_wsgi_application()
    file: IO[bytes] = application(environ, lambda *args: told.extend(args))
    with file:
        assert file.fileno() > 0
        assert told[0] == "200 OK"
        assert len(file.read()) == int(dict(told[1])["Content-Length"]) > 1024 * 1024

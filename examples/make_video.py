#!/usr/bin/env python3
"""Make one video with the Reelmint API. Needs nothing but Python.

BASE_URL=http://127.0.0.1:8000 API_KEY=rmk_... python3 make_video.py "A paper boat" boat.mp4
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import Any

BASE_URL = os.environ.get("BASE_URL", "http://127.0.0.1:8000").rstrip("/")
API_KEY = os.environ.get("API_KEY", "")
TRIES = 5


def call(method: str, path: str, body: Any = None, **headers: str) -> tuple[Any, float]:
    """The JSON of an answer, and in how many seconds to ask again. Exits on a refusal.

    What a server that is busy or away did not do is tried again; with an Idempotency-Key that is
    safe for an order too.
    """
    data = None if body is None else json.dumps(body).encode()
    headers |= {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"}
    for attempt in range(1, TRIES + 1):
        request = urllib.request.Request(BASE_URL + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer), float(answer.headers.get("Retry-After", 0))
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            wait = float(error.headers.get("Retry-After", 0))
            if error.code not in (429, 503) or attempt == TRIES:
                sys.exit(f"{method} {path}: {error.code} {sentence(text)}")
        except OSError as error:  # URLError is one
            wait = 2.0**attempt
            if attempt == TRIES:
                sys.exit(f"{method} {path}: {error}")
        time.sleep(max(wait, 1.0))
    raise AssertionError("the last attempt returns or exits")


def sentence(text: str) -> str:
    """What an error answer says to a person."""
    try:
        return str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        return text[:200]


def make_video(prompt: str) -> dict[str, Any]:
    """Order a video and wait for its end; the final status. Exits when it failed."""
    order = {"prompt": prompt, "video_model": "veo3_fast", "aspect_ratio": "16:9"}
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    ordered, _ = call("POST", "/api/v1/generate/video/", order, **headers)
    data = ordered["data"]
    print(f"{data['message']}: {data['credits_used']} credits, {data['estimated_time']}")
    while True:
        status, retry_after = call("GET", f"/api/v1/generate/{data['generation_id']}/")
        if status["status"] != "processing":
            break
        print(f"  {status['progress']:.0%}")
        time.sleep(retry_after or 5)
    if status["status"] != "completed":
        reason = (status["error"] or {"message": "It was canceled"})["message"]
        sys.exit(f"No video: {reason}. {status['credits_refunded']} credits were paid back.")
    final: dict[str, Any] = status
    return final


def main() -> None:
    """Make the video that the command line asks for."""
    if not API_KEY:
        sys.exit("Set API_KEY (and BASE_URL) first.")
    prompt = sys.argv[1] if len(sys.argv) > 1 else "A paper boat on a quiet lake at sunrise"
    target = Path(sys.argv[2] if len(sys.argv) > 2 else "video.mp4")
    link = make_video(prompt)["video_url"]
    with urllib.request.urlopen(link, timeout=60) as answer:  # the link needs no header
        target.write_bytes(answer.read())
    print(f"Saved {target} ({target.stat().st_size:,} bytes)")


if __name__ == "__main__":
    main()

"""`make demo`: a customer's whole way through the HTTP API, from registering to the file."""

from __future__ import annotations

import json
import secrets
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from dev.embedded import StackError, mp4
from dev.embedded.environment import Options
from dev.embedded.stack import Stack

PROMPT = "A paper boat on a quiet lake at sunrise, slow camera, soft light"
CREDITS = 500
PATIENCE = 120.0  # seconds for one video


def demo(var_dir: Path, options: Options) -> None:
    """Bring a stack up, make one video and end it. StackError says what went wrong."""
    begun = time.monotonic()
    print("Starting the stack ...", flush=True)
    with Stack(var_dir, options) as stack:
        print(f"Up at {stack.base_url} after {time.monotonic() - begun:.1f} s.")
        if stack.waiter_url:
            print(f"Waits and streams are held at {stack.waiter_url}.")
        if stack.emulator_url:
            print("Outputs are EMULATED: nothing is sent to Google, nothing is paid for.")
        if stack.stripe_url:
            print("Payments are EMULATED: nothing is sent to Stripe, no money is charged.")
        with httpx.Client(base_url=stack.base_url, timeout=20) as client:
            make_video(stack, client, var_dir)
    print(f"Everything is stopped. {time.monotonic() - begun:.1f} s in all.")


def make_video(stack: Stack, client: httpx.Client, folder: Path) -> None:
    """Register, get credits, order, wait, save, and print the ledger."""
    name = f"demo-{secrets.token_hex(4)}"
    customer = {"username": name, "email": f"{name}@example.com", "password": secrets.token_hex(12)}
    client.headers["Authorization"] = (
        f"Bearer {call(client, 'POST', '/api/register/', customer)['token']}"
    )
    print(f"Registered {name}.")
    # whoever registered is named by an id: the address may be anybody's
    account = ("--account", call(client, "GET", "/api/account/")["id"])
    grant = ("--credits", str(CREDITS), "--reason", "demo", *account, "--skip-checks")
    stack.manage("grant_credits", customer["email"], *grant)
    print(f"Granted {CREDITS} credits.")
    if stack.receiver_url:
        listen(client, stack.receiver_url)
    order = {"prompt": PROMPT, "video_model": "veo3_fast"}
    ordered = call(client, "POST", "/api/v1/generate/video/", order)["data"]
    print(f"{ordered['message']}: {ordered['credits_used']} credits, {ordered['generation_id']}")
    finished = wait_for(stack, client, ordered["generation_id"])
    path = folder / f"{ordered['generation_id']}.mp4"
    seconds = save(finished["video_url"], path)
    print(f"Saved {path} ({seconds:.1f} s, {path.stat().st_size:,} bytes)")
    if stack.receiver_url:
        print(f"Webhook {told(stack.receiver_url)}, at {stack.receiver_url}")
    print("Ledger:")
    for entry in call(client, "GET", "/api/v1/credits/transactions/")["results"]:
        print(
            f"  {entry['sequence']:>3}  {entry['kind']:<10} {entry['amount']:>+6}"
            f"  balance {entry['balance_after']:>6}  {entry['description']}"
        )


def call(client: httpx.Client, method: str, path: str, body: Any = None) -> Any:
    """The JSON of a successful answer; StackError with the API's own sentence otherwise."""
    try:
        response = client.request(method, path, json=body)
    except httpx.HTTPError as error:
        raise StackError(f"{method} {path}: {error!r}") from error
    if not response.is_success:
        raise StackError(f"{method} {path} answered {response.status_code}: {response.text[:500]}")
    return response.json()


def wait_for(stack: Stack, client: httpx.Client, generation_id: str) -> dict[str, Any]:
    """Poll the status, showing the progress, until it is completed."""
    limit = time.monotonic() + PATIENCE
    shown = None
    while time.monotonic() < limit:
        stack.watch()
        status: dict[str, Any] = call(client, "GET", f"/api/v1/generate/{generation_id}/")
        if status["progress"] != shown:
            shown = status["progress"]
            bar = "#" * round(shown * 20)
            end = "\r" if sys.stdout.isatty() and status["status"] == "processing" else "\n"
            print(f"  {status['status']:<10} [{bar:<20}] {shown:4.0%}", end=end, flush=True)
        if status["status"] == "completed":
            return status
        if status["status"] != "processing":
            raise StackError(f"The generation is {status['status']}: {status['error']}")
        time.sleep(0.2)
    raise StackError(f"No video after {PATIENCE:.0f} s; the logs are in {stack.var_dir / 'log'}")


def listen(client: httpx.Client, receiver: str) -> None:
    """Name the receiver to the API, and the secret to the receiver."""
    made = call(client, "POST", "/api/v1/webhook-endpoints/", {"url": f"{receiver}/hooks/demo"})
    box = {"secrets": [made["secret"]]}
    httpx.put(f"{receiver}/receiver/boxes/demo", json=box, timeout=20).raise_for_status()


def told(receiver: str) -> str:
    """What came there: its type, and whether the standard's library verified it."""
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        answer = httpx.get(f"{receiver}/receiver/received?box=demo", timeout=20)
        for got in answer.raise_for_status().json()["received"]:
            verdict = "verified" if got["verified"] else f"refused: {got['why']}"
            return f"{json.loads(got['body'])['type']} received and {verdict}"
        time.sleep(0.2)
    raise StackError("The webhook did not come")


def save(url: str, path: Path) -> float:
    """Fetch the signed link as a browser would, without a header; the video's seconds."""
    response = httpx.get(url, timeout=60)
    if response.status_code != httpx.codes.OK:
        raise StackError(f"{url} answered {response.status_code}")
    try:
        seconds = mp4.duration(response.content)
    except ValueError as error:
        raise StackError(f"{url} is {error}") from error
    path.write_bytes(response.content)
    return seconds

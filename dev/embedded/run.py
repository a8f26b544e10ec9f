"""`make run`: keeps a stack up until it is told to end, and says how to use it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from dev.embedded.environment import Options
from dev.embedded.paths import write_json
from dev.embedded.stack import Stack

DEMO_EMAIL = "demo@example.com"
DEMO_CREDITS = 5000
WATCH_INTERVAL = 0.5  # seconds
# Of the environment, what a manage.py command in this checkout needs to talk to the same stack.
SHARED = (
    *("SECRET_KEY", "HTTPS", "PUBLIC_BASE_URL", "OUTPUT_ROOT", "WORK_DIR", "TIME_SCALE"),
    *("VERTEX_BASE_URL", "STORAGE_BASE_URL", "GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION"),
    *("GOOGLE_APPLICATION_CREDENTIALS", "OUTPUT_BUCKET", "ALLOW_EMULATOR"),
    *("SOURCE_IMAGE_ALLOWED_ORIGINS", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRETS"),
    *("STRIPE_BASE_URL", "EMAIL_URL", "MAIL_FROM", "WEBHOOK_ALLOWED_ORIGINS"),
    "WEBHOOK_ALLOW_HTTP",
)


def run(var_dir: Path, options: Options) -> None:
    """Bring the stack up and watch it for ever; ends by KeyboardInterrupt or StackError."""
    run_file = var_dir / "run.json"
    print("Starting PostgreSQL, Valkey, web, workers and beat ...", flush=True)
    with Stack(var_dir, options) as stack:
        if stack.processes.found_left:
            print("Ended what a killed stack had left:", ", ".join(stack.processes.found_left))
        key = demo_key(stack)
        write_json(run_file, described(stack, key))
        try:
            print(greeting(stack, key), flush=True)
            while True:
                stack.watch()
                time.sleep(WATCH_INTERVAL)
        finally:
            run_file.unlink(missing_ok=True)
            print("\nStopping (once more Ctrl-C to kill) ...", flush=True)


def demo_key(stack: Stack) -> str:
    """A fresh API key of the demo account, which is made with its credits the first time."""
    options = ("--credits", str(DEMO_CREDITS), "--skip-checks")
    output = stack.manage("create_account", DEMO_EMAIL, *options)
    return str(json.loads(output)["key"])


def described(stack: Stack, key: str) -> dict[str, object]:
    """What ``var/run.json`` says; config/env.py and scripts read it."""
    return {
        "base_url": stack.base_url,
        "waiter_url": stack.waiter_url,
        "database_url": stack.env["DATABASE_URL"],
        "database_owner_url": stack.owner_url,
        "redis_url": stack.env["REDIS_URL"],
        "emulator_url": stack.emulator_url,
        "stripe_url": stack.stripe_url,
        "receiver_url": stack.receiver_url,
        "demo_key": key,
        "pid": os.getpid(),
        "environment": {name: stack.env[name] for name in SHARED if name in stack.env},
    }


def greeting(stack: Stack, key: str) -> str:
    """What a newcomer reads: where things are, and three commands to paste."""
    base, emulator = stack.base_url, stack.emulator_url
    taken = stack.options.port and not base.endswith(f":{stack.options.port}")
    lines = [f"\nReelmint is up. The console: {base}/   documentation: {base}/api/docs/"]
    if taken:
        lines.append(f"(port {stack.options.port} is taken; PORT=... asks for another one)")
    if emulator:
        lines.append(f"Outputs are EMULATED: {emulator} stands in for Google, nothing is paid for.")
    else:
        provider = stack.env.get("VERTEX_BASE_URL") or "Google: every generation costs money"
        lines.append(f"The provider is {provider}.")
    if stack.stripe_url:
        lines.append(
            f"Payments are EMULATED: {stack.stripe_url} stands in for Stripe, no money is charged."
        )
    if emulator and not stack.env.get("EMAIL_URL"):
        lines.append(f"Mails are EMULATED: read them, with their codes, at {base}/mailbox/")
    if stack.receiver_url:
        lines.append(f"Webhooks may go to {stack.receiver_url}/hooks/NAME; open it to see them.")
    image = f"{emulator}/sample-images/landscape.png" if emulator else "https://example.com/a.png"
    post = f"curl -s {base}/api/v1/generate/video/ -H 'Authorization: Bearer {key}'"
    post += " -H 'Content-Type: application/json' -d"
    boat = json.dumps({"prompt": "A paper boat on a lake at sunrise"})
    hill = json.dumps({"prompt": "The camera flies over the hills", "source_image_urls": [image]})
    lines += [f"API key of {DEMO_EMAIL}: {key}\n", "Text to video:", f"  {post} '{boat}'"]
    lines += ["Image to video:", f"  {post} '{hill}'", "Status of the newest one, with its link:"]
    url = f"{base}/api/v1/generate/history/?limit=1"
    lines.append(f"  curl -s '{url}' -H 'Authorization: Bearer {key}'\n")
    lines += told_of_the_waiter(stack)
    if stack.stripe_url:
        lines += ["Credits (open the url of the answer and pay by card 4242 4242 4242 4242):"]
        pack = json.dumps({"pack": "credits_500"})
        checkout = post.replace("/api/v1/generate/video/", "/api/v1/credits/checkout/")
        lines.append(f"  {checkout} '{pack}'\n")
    lines.append(f"Operators: {base}/admin/   a log-in (it enrols an authenticator app):")
    lines.append("  .venv/bin/python manage.py create_staff you@example.com --role superuser\n")
    lines.append(f"Logs: {stack.var_dir / 'log'}   Ctrl-C ends everything.")
    return "\n".join(lines)


def told_of_the_waiter(stack: Stack) -> list[str]:
    """Where to wait and to stream: there is no proxy here that would send it to the right one."""
    if stack.waiter_url is None:
        return []
    path = "/api/v1/generate/{id}/"
    return [
        "Waits and streams are held at another address (web's answers them at once):",
        f"  {stack.waiter_url}{path}?wait=25   {stack.waiter_url}{path}events/\n",
    ]

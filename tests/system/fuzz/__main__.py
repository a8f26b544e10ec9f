"""`make fuzz`: Schemathesis against a live stack of its own. Exit code 1 for any finding.

Further arguments go to Schemathesis (``--seed 1``, ``--max-examples 500``).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx

from dev.embedded import StackError
from dev.embedded.environment import Options
from dev.embedded.stack import Stack

HERE = Path(__file__).parent
EMAIL = "fuzz@example.com"
PASSWORD = "correct horse battery staple"
CREDITS = 100_000_000
MANY = "1000000"
# A limit that is reached answers 429 to everything after it, which would hide all else; the tests
# of the limits are elsewhere.
LIMITS = (
    *("RATE_LIMIT_CREATES", "RATE_LIMIT_READS", "RATE_LIMIT_ANONYMOUS"),
    *("RATE_LIMIT_AUTH_FAILURES", "RATE_LIMIT_LOGINS", "RATE_LIMIT_REGISTRATIONS"),
    *("RATE_LIMIT_UPLOADS", "UPLOADS_PER_DAY", "UPLOAD_MB_PER_DAY", "MAX_OPEN_GENERATIONS"),
    *("RATE_LIMIT_CHECKOUTS", "RATE_LIMIT_CHECKOUTS_ADDRESS"),
)
# Likewise a statement that is too slow: a disk that stalls for 5 s, as one does that has just had a
# thousand packages written to it, is answered 503 as the contract says, and is nobody's fault here.
PATIENCE = "-c statement_timeout=60s -c lock_timeout=60s"
OUT_OF_THE_WAY = dict.fromkeys(LIMITS, MANY) | {"PGOPTIONS": PATIENCE}
SERVER_ERROR = re.compile(r"Traceback \(most recent call last\)|Internal Server Error")
AWAY = re.compile(r".*database away.*")  # a 503 is a finding; this line says why it was one


def token(stack: Stack) -> str:
    """A login token of a customer who can pay for everything."""
    grant = ("--credits", str(CREDITS), "--password", PASSWORD)
    name = json.loads(stack.manage("create_account", EMAIL, *grant))["username"]
    body = {"username": name, "password": PASSWORD}
    answer = httpx.post(f"{stack.base_url}/api/login/", json=body, timeout=20)
    answer.raise_for_status()
    return str(answer.json()["token"])


def attack(stack: Stack, arguments: list[str], folder: Path) -> int:
    """Run Schemathesis; its exit code."""
    argv = [str(Path(sys.executable).with_name("schemathesis")), "--config-file"]
    argv += [str(HERE / "schemathesis.toml"), "run", f"{stack.base_url}/api/schema/?format=json"]
    argv += ["--phases", "examples,coverage,fuzzing,stateful", "--checks", "all"]
    argv += ["--max-examples", "40", "--request-timeout", "30", *arguments]
    hooks = {"SCHEMATHESIS_HOOKS": str(HERE / "hooks.py"), "PYTHONPATH": str(HERE.parents[2])}
    environment = os.environ | hooks | {"FUZZ_TOKEN": token(stack)}
    return subprocess.run(argv, env=environment, cwd=folder, check=False).returncode


def server_errors(stack: Stack) -> list[str]:
    """What the web's log says of errors, whether or not a client saw them."""
    log = stack.processes.log("web").read_text(errors="replace")
    return [log[found.start() : found.start() + 2000] for found in SERVER_ERROR.finditer(log)]


def main() -> int:
    """0 when nothing was found, the ledger adds up and the log shows no error."""
    # short steps: the point is what the API says, not how long a video takes
    options = Options(time_scale=0.05, emulator_plain=True, stripe=True, environment=OUT_OF_THE_WAY)
    with (
        tempfile.TemporaryDirectory(prefix="reelmint-fuzz-") as name,
        Stack(Path(name) / "var", options) as stack,
    ):
        code = attack(stack, sys.argv[1:], Path(name))
        print(stack.manage("check_ledger"), end="")
        print("\n".join(AWAY.findall(stack.processes.log("web").read_text(errors="replace"))))
        errors = server_errors(stack)
        for error in errors[:5]:
            print(error, file=sys.stderr)
        return 1 if errors else code


if __name__ == "__main__":
    try:
        sys.exit(main())
    except StackError as error:
        sys.exit(str(error))

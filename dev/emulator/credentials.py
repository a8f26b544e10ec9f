"""The token endpoint, and service-account files that point to it.

google-auth reads such a file and works unchanged: it signs a JWT and exchanges it here for a token.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import secrets
import time
from pathlib import Path
from typing import Any

from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from dev.emulator.tally import Tally

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"  # RFC 7523, section 2.1
TOKEN_SECONDS = 3600
EMAIL = "emulator@emulated-project.iam.gserviceaccount.com"


class TokenApi:
    """``POST /token``: exchanges a signed JWT for an access token."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._key: rsa.RSAPrivateKey | None = None

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/token", self.token)]

    def write_credentials(self, path: Path, url: str) -> None:
        """Write a service-account file; from here on only who signs with its key gets tokens.

        The key of a file that is there already is kept: programs that read it go on working when
        the emulator was started again.
        """
        account = _account(path)
        self._key = _key(account) or rsa.generate_private_key(65537, 2048)
        pem = self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        account = {
            "type": "service_account",
            "project_id": "emulated-project",
            "private_key_id": hashlib.sha256(pem).hexdigest()[:40],
            "private_key": pem.decode(),
            "client_email": EMAIL,
            "client_id": "100000000000000000000",
            "token_uri": f"{url}/token",
            "universe_domain": "googleapis.com",
        }
        # replaced whole: a program may read it at this moment
        part = path.with_name(path.name + ".part")
        part.touch(mode=0o600)
        part.write_text(json.dumps(account, indent=2) + "\n")
        part.replace(path)

    async def token(self, request: web.Request) -> web.Response:
        """An access token for an hour, or ``invalid_grant`` (RFC 6749, section 5.2)."""
        self._tally.requests["token"] += 1
        form = await request.post()
        if form.get("grant_type") != GRANT:
            return _refused("unsupported_grant_type", f"Use {GRANT}.")
        problem = self._problem(str(form.get("assertion", "")))
        if problem:
            return _refused("invalid_grant", problem)
        return web.json_response(
            {
                "access_token": "emulated." + secrets.token_urlsafe(24),
                "expires_in": TOKEN_SECONDS,
                "token_type": "Bearer",
            }
        )

    def _problem(self, assertion: str) -> str:
        """What is wrong with the JWT; empty when it is good."""
        try:
            signed, _, signature = assertion.rpartition(".")
            claims: Any = json.loads(_unpadded(signed.split(".")[1]))
            expires, issuer = float(claims["exp"]), str(claims["iss"])
            if self._key is not None and issuer == EMAIL:
                self._key.public_key().verify(
                    _unpadded(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256()
                )
        except (binascii.Error, ValueError, KeyError, IndexError, TypeError):
            return "Malformed JWT."
        except InvalidSignature:
            return "Invalid JWT Signature."
        if expires < time.time():
            return "Invalid JWT: Token must be a short-lived token."
        if self._key is not None and issuer != EMAIL:
            return "Invalid grant: account not found"
        return ""


def _account(path: Path) -> dict[str, Any]:
    """What an earlier start wrote; empty when there is none of ours."""
    try:
        account = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return account if isinstance(account, dict) else {}


def _key(account: dict[str, Any]) -> rsa.RSAPrivateKey | None:
    """The private key of ``account``; None when it has none that can be used."""
    try:
        pem = str(account["private_key"]).encode()
        key = serialization.load_pem_private_key(pem, None)
    except (KeyError, ValueError):
        return None
    return key if isinstance(key, rsa.RSAPrivateKey) else None


def _unpadded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _refused(error: str, description: str) -> web.Response:
    return web.json_response({"error": error, "error_description": description}, status=400)

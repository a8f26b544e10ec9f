"""The way in: a request's secret is looked up, and the request is counted at the same time.

Redis counts while the database looks, so that a request waits once and not twice. At that time
nobody knows yet whose request it is. Its window is that of the last request with the same secret.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Hashable
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from django.conf import settings
from rest_framework.request import Request

from accounts import secrets
from accounts.caller import Caller
from accounts.models import Account, ApiKey
from common.errors import AccountSuspended
from common.web import rate_limit
from common.web.rate_limit import Decision

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

SECONDS = 60  # of every window
CREATES = "creates"
READS = "reads"
UPLOADS = "uploads"
MANY = 10_000


class Window(NamedTuple):
    """Its name, how many requests a minute it lets through, and whose it is."""

    name: str
    limit: int
    who: str

    def hit(self) -> Decision:
        """Count one request in it."""
        return rate_limit.hit(self.name, self.limit, SECONDS, self.who)


class Memory(Generic[K, V]):
    """What a process remembers of its callers: at most MANY of them, then it starts anew."""

    def __init__(self) -> None:
        self._known: dict[K, V] = {}
        self.get = self._known.get
        self.clear = self._known.clear

    def put(self, key: K, value: V) -> None:
        if len(self._known) >= MANY and key not in self._known:
            self._known.clear()
        self._known[key] = value

    def drop(self, key: K) -> None:
        self._known.pop(key, None)


class SentSecret:
    """A well-formed secret, while nobody knows yet whose it is.

    The memory has the window in which requests with it counted last, by the window's name. If the
    account's limit has changed since, the request is counted again. If the secret has ended since,
    this process counts one request too many for its account, and no more than one.
    """

    _windows: ClassVar[Memory[tuple[str, bytes], Window]] = Memory()

    def __init__(self, text: str, request: Request, window_name: str) -> None:
        self.text = text
        self.path: dict[str, str] = (request.parser_context or {}).get("kwargs", {})
        self._digest = secrets.digest(text)
        self._name = window_name
        self._counted: tuple[Window, Decision] | None = None

    def count(self) -> None:
        """Count the request where the last one counted. Called while the secret is looked up."""
        window = self._windows.get((self._name, self._digest))
        if window is not None:
            self._counted = window, window.hit()

    def is_of_nobody(self) -> None:
        """Drop what is known of a secret that has ended, so that it counts nowhere."""
        for name in (CREATES, READS, UPLOADS):
            self._windows.drop((name, self._digest))

    def counted_for(self, key: ApiKey) -> tuple[Window, Decision]:
        """The window of the key's account, and its decision about this request."""
        window = window_of(key.account, self._name)
        self._windows.put((self._name, self._digest), window)
        if self._counted is not None and self._counted[0] == window:
            return self._counted
        return window, window.hit()

    @classmethod
    def clear(cls) -> None:
        """Forget every secret; tests begin with none."""
        cls._windows.clear()


LookUp = Callable[[SentSecret], tuple[ApiKey | None, Any]]


class Arrival:
    """A request with a valid secret: its caller, the window's decision, what was found with it.

    It is ``request.auth``. The throttle refuses by ``decision``; ``found`` is what the
    authentication class of the view looked up beside the secret.
    """

    def __init__(self, key: ApiKey, window: Window, decision: Decision, found: Any) -> None:
        self.key = key
        self.caller = Caller.with_key(key)
        self.window = window
        self.decision = decision
        self.found = found

    @property
    def account_id(self) -> uuid.UUID:
        """For the access log, which finds it at ``request.auth``."""
        return self.key.account_id

    @classmethod
    def of(cls, secret: SentSecret, look_up: LookUp) -> Arrival | None:
        """The arrival; None for a secret that is nobody's. Raises AccountSuspended."""
        key, found = look_up(secret)
        if key is None:
            secret.is_of_nobody()
            return None
        if key.account.suspended_at is not None:
            raise AccountSuspended
        return cls(key, *secret.counted_for(key), found)


def window_of(account: Account, name: str) -> Window:
    """Where the account's requests of that kind count, by its own limit or the setting's."""
    own, default = {
        CREATES: (account.creates_per_minute, settings.RATE_LIMIT_CREATES),
        READS: (account.reads_per_minute, settings.RATE_LIMIT_READS),
        UPLOADS: (None, settings.RATE_LIMIT_UPLOADS),
    }[name]
    return Window(name, default if own is None else own, str(account.pk))

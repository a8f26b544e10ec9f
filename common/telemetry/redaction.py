"""Keeps out of the log what nobody may read there: secrets, queries of URLs, values of rows.

``log_lines.py`` calls it where a line becomes text. Prompts get into logs by exceptions:
PostgreSQL's DETAIL quotes the whole row, and pydantic quotes its input. So an exception keeps its
first line, cut to ``MAX_SENTENCE``.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator

MAX_SENTENCE = 300  # characters of what an exception says
MAX_NOTE = 500  # characters
# Of a longer text the rest is left out, and the word that it begins in: a rule may take the square
# of the length.
MAX_TEXT = 10_000

_RULES = (
    # ours, wherever they are (accounts/secrets.py)
    (re.compile(r"\brm([kt])_[0-9A-Za-z]{8,}"), r"rm\1_…"),
    (re.compile(r"\b((?:sk|rk)_(?:test|live))_\w+", re.ASCII), r"\1_…"),  # Stripe's keys
    # what webhooks are signed with: base64, as it is or as a path has it
    (re.compile(r"\bwhsec_[\w+/=%-]+", re.ASCII), "whsec_…"),
    # a value that follows its name, to the end of the line: nobody knows where it ends
    (
        re.compile(
            r"(?i)\b(authorization|x-api-key|cookie|sessionid|csrftoken|csrfmiddlewaretoken"
            r"|password|secret|private_key|access_token|assertion)(['\"]?\s*[:=,]).*"
        ),
        r"\1\2…",
    ),
    (re.compile(r"(?i)\b(bearer)\s+[^\s'\",]+"), r"\1 …"),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"), "eyJ…"),  # a signed JWT
    # signatures and tokens are in queries; the rest of them is no loss
    (re.compile(r"\?[^\s\"'<>]+"), "?…"),
    (re.compile(r"//[^/\s@'\"]+@"), "//…@"),  # name and password in a URL
    # Django names the path of what it refuses; these lead to a person's password and address
    (re.compile(r"(?i)(/(?:reset/[^/\s]+|confirm-email)/)[^\s\"'<>]+"), r"\1…"),
    # gunicorn quotes what it could not read
    (re.compile(r"(Invalid request from ip=\S+: [\w /]+).*", re.DOTALL), r"\1…"),
    # PostgreSQL quotes rows and statements; an exception's repr has \n for the line's end
    (
        re.compile(r"(?:\n|\\n)[ \t]*(?:DETAIL|CONTEXT|QUERY|STATEMENT|LINE \d+):.*", re.DOTALL),
        " …",
    ),
)

# In whatever a rule changes is one of these words, in lower case; in nearly all lines is none.
_SIGNS = (
    *("rmk_", "rmt_", "sk_test_", "sk_live_", "rk_test_", "rk_live_", "whsec_"),
    *("authorization", "x-api-key", "cookie", "sessionid", "csrf", "password"),
    *("secret", "private_key", "access_token", "assertion", "bearer", "eyj", "?", "@"),
    *("/reset/", "/confirm-email/"),
    *("invalid request", "detail:", "context:", "query:", "statement:", "line "),
)


def is_suspect(text: str) -> bool:
    """Whether ``redact`` may change ``text``; a tenth of its price."""
    lower = text.casefold()
    return any(sign in lower for sign in _SIGNS)


def cut_text(text: str) -> str:
    """``text`` as operators may keep it in a table: redacted and cut."""
    return redact(text)[:MAX_NOTE]


def redact(text: str) -> str:
    """``text`` without secrets, URLs' queries and the rows that PostgreSQL quotes."""
    if is_suspect(text):
        if len(text) > MAX_TEXT:
            text = f"{text[:MAX_TEXT].rpartition(' ')[0]} …"
        for pattern, instead in _RULES:
            text = pattern.sub(instead, text)
    return text


def traceback_text(error: BaseException) -> str:
    """The traceback with those of its causes, the oldest first."""
    return "\n".join(_lines(error, set()))


def _lines(error: BaseException, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    cause = error.__cause__
    if cause is None and not error.__suppress_context__:
        cause = error.__context__
    inner = [cause, *(error.exceptions if isinstance(error, BaseExceptionGroup) else ())]
    for other in inner:
        if other is not None and id(other) not in seen:
            yield from _lines(other, seen)
            yield "which led to:"
    yield "Traceback (most recent call last):"
    yield "".join(traceback.format_tb(error.__traceback__)).rstrip("\n")
    yield sentence(error)


def sentence(error: BaseException) -> str:
    """The exception's type and the first line of what it says, redacted."""
    kind = type(error)
    first = str(error).strip().partition("\n")[0][:MAX_SENTENCE]
    return f"{kind.__module__}.{kind.__qualname__}: {redact(first)}"

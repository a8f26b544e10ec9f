"""What the end of an interaction without a video means, by its ``errors[]`` and its steps' errors.

A code is text, a URI or a number (of google.rpc, or of HTTP), and its spelling is not settled: only
its letters count.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from generation.backends.base import Rejected
from generation.backends.google.errors import broken, not_taken
from generation.backends.google.safety import (
    FILTERED_FINISH_REASONS,
    filtered,
    reads_like_a_refusal,
    speaks_of_sound,
    support_codes,
)

# google.rpc.Code and HTTP, as far as it does not just pass.
_NUMBERS = {
    **dict.fromkeys((3, 400), "invalidargument"),
    **dict.fromkeys((5, 404), "notfound"),
    **dict.fromkeys((7, 403), "permissiondenied"),
    **dict.fromkeys((9, 412), "failedprecondition"),
    **dict.fromkeys((16, 401), "unauthenticated"),
}
# For the operator to mend: credentials, grants on the bucket, the project, its budget.
_OPERATOR = ("permission", "notfound", "failedprecondition", "unauthenticated", "budget")
_INVALID = "invalidargument"
_FILTERED = {re.sub("[^A-Z]", "", word).lower(): word for word in FILTERED_FINISH_REASONS}


@dataclass(frozen=True, slots=True)
class Fault:
    """One error as it was told; ``code`` is of any type."""

    code: object
    message: str

    @property
    def word(self) -> str:
        """The letters of the code's last part, lower case; empty when it has none."""
        if type(self.code) is int:
            return _NUMBERS.get(self.code, "")
        text = self.code if isinstance(self.code, str) else ""
        if re.fullmatch(r"[0-9]{1,3}", text):
            return _NUMBERS.get(int(text), "")
        return re.sub("[^a-z]", "", re.split(r"[/#.:]", text)[-1].lower())


def end_of(status: str, faults: Sequence[Fault]) -> Rejected:
    """The rejection for an interaction that ended as ``status`` says, for these reasons."""
    texts = [fault.message for fault in faults]
    words = [fault.word for fault in faults]
    said = "; ".join(texts)
    named = [_FILTERED[word] for word in words if word in _FILTERED]
    if named or support_codes(said):
        return filtered("video", texts, named)
    detail = f"{status}: " + "; ".join(f"{f.code!r:.200}: {f.message}" for f in faults)
    # Before the wording: an organisation's policy that forbids the API reads like a refusal.
    if any(part in word for word in (status, *words) for part in _OPERATOR):
        return broken("video", detail, operator_fault=True)
    # Nothing is asked about the sound, so no argument of ours can be wrong there.
    if reads_like_a_refusal(said) or (_INVALID in words and speaks_of_sound(said)):
        return filtered("video", texts)
    if _INVALID in words:
        return not_taken(detail)
    return broken("video", detail)

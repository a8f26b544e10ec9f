"""Every way that a row can take through the state table, without a database, for Hypothesis."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from accounts.models import Account
from generation.models import Generation
from generation.models.states import OPEN, TERMINAL, State
from generation.progress import COMMIT

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
NEXT = {
    State.QUEUED: (State.SUBMITTING, State.CANCELED),
    State.SUBMITTING: (State.QUEUED, State.RUNNING, State.STORING, State.SUBMIT_UNKNOWN),
    State.SUBMIT_UNKNOWN: (State.STORING, State.QUEUED),
    State.RUNNING: (State.STORING,),
    State.STORING: (State.COMPLETED,),
}
TICK = timedelta(milliseconds=1)  # no two writes of a row have the same time
# seconds until the next look: within a commit, a step, a stage, and far beyond all
PAUSES = st.sampled_from((0.0, 0.05, 1.3, 4.9, 11.0, 31.0, 64.0, 1000.0))


def new(kind: str = "video", expected: float = 60.0) -> Generation:
    """A queued row, made at noon."""
    model, parameters = ("veo3_fast", {"aspect_ratio": "16:9"})
    if kind == "image":
        model, parameters = ("image", {"size": "1:1"})
    return Generation(
        account=Account(),
        model_id=model,
        kind=kind,
        prompt="a fox",
        parameters=parameters,
        price=240,
        estimated_time="45-60 seconds",
        expected_seconds=expected,
        created_at=NOON,
        updated_at=NOON,
        next_attempt_at=NOON,
        deadline_at=NOON + timedelta(minutes=30),
    )


def move(row: Generation, state: State, at: datetime) -> None:
    """What ``generation/lifecycle.py`` writes, as far as customers see it."""
    row.state, row.updated_at, row.version = state, at, row.version + 1
    if state == State.SUBMITTING:
        row.provider_model = "veo"
    elif state == State.RUNNING:
        row.accepted_at = at
    elif state == State.STORING:
        row.output_uri = "gs://bucket/1/sample_0.mp4"
    elif state == State.COMPLETED:
        row.output_key = "outputs/1.mp4"
    if state in TERMINAL:
        row.finished_at, row.next_attempt_at = at, None


@st.composite
def walks(draw: st.DrawFn) -> tuple[Generation, list[tuple[State | None, datetime, datetime]]]:
    """A new row, and steps: a state to move to (or none), the time written and the time of a look.

    A write is seen up to COMMIT later than its time, and all looks before it are earlier than that.
    """
    row = new(draw(st.sampled_from(["video", "image"])), draw(st.sampled_from([0.6, 30.0, 90.0])))
    state, now, written = State.QUEUED, NOON, NOON
    steps: list[tuple[State | None, datetime, datetime]] = []
    for _ in range(draw(st.integers(1, 14))):
        now += TICK + timedelta(seconds=draw(PAUSES))
        choices = (*NEXT.get(state, ()) * 2, State.FAILED) if state in OPEN else ()
        chosen = draw(st.sampled_from((None, None, *choices)))
        if chosen is not None:
            lag = timedelta(seconds=draw(st.floats(0, COMMIT.total_seconds())))
            written, state = max(written + TICK, now - lag), chosen
        steps.append((chosen, written, now))
    return row, steps

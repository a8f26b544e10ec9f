"""From an empty view to our own, step by step: what does each of them add?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dev.benchmarks.api import Api, Site, Subject
from dev.benchmarks.figures import Rounds
from dev.benchmarks.wrk import Target

FLOOR = "empty DRF view"
TEXTBOOK = "create, textbook"
REAL_STATUS = "status, processing"
REAL_CREATE = "create"
STATUS_STEPS = {"status: SELECT": "select", "status: SELECT, limit": "select-and-limit"}
CREATE_STEPS = {
    "create: statement": "create",
    "create: secret, statement": "secret-and-create",
    "create: secret, limit, statement": "limited-create",
}
BARE_STATUS = "status, no middleware"
BARE_CREATE = "create, no middleware"


def subjects(api: Api) -> dict[str, Subject]:
    """Statuses in ascending order of what they do, then creates."""
    statuses = api.status_subjects()
    creates = api.create_subjects()
    bare = Site("bare", api.stage.serve("bare"))

    def serve(targets: list[Target]) -> Subject:
        return lambda seconds: api.loaded(bare, targets, seconds)

    targets = api.statuses("processing")
    orders = api.orders()
    return {
        FLOOR: statuses[FLOOR],
        **{name: serve(_at(targets, path)) for name, path in STATUS_STEPS.items()},
        BARE_STATUS: serve(targets),
        REAL_STATUS: statuses[REAL_STATUS],
        TEXTBOOK: creates[TEXTBOOK],
        **{
            name: serve([replace(order, path=f"/{path}/") for order in orders])
            for name, path in CREATE_STEPS.items()
        },
        BARE_CREATE: serve(orders),
        REAL_CREATE: creates[REAL_CREATE],
    }


def figures(rounds: Rounds) -> dict[str, Any]:
    """The rate of each as a share of the empty view's, or a multiple of the textbook's."""
    of_floor = (*STATUS_STEPS, BARE_STATUS, REAL_STATUS)
    of_textbook = (*CREATE_STEPS, BARE_CREATE, REAL_CREATE)
    return {
        "steps": {
            **{name: rounds.ratio(name, FLOOR) for name in of_floor},
            **{name: rounds.ratio(name, TEXTBOOK) for name in of_textbook},
        }
    }


def _at(targets: list[Target], path: str) -> list[Target]:
    # /api/v1/generate/<id>/ becomes /<path>/<id>/
    return [replace(one, path=f"/{path}/{one.path.split('/')[-2]}/") for one in targets]

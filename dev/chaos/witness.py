"""Who was hit: a trigger in the database notes every claim, the driver all its victims.

A generation was hit when a claim of it ended without a write-back, and we had killed or stopped its
process, or the database had gone down meanwhile. A lease that ended under an untouched worker
excuses nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import psycopg

NOTE_CLAIMS = """
CREATE TABLE chaos_claim (
    id bigserial PRIMARY KEY, generation_id uuid NOT NULL, process text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(), overtakes boolean NOT NULL);
CREATE FUNCTION chaos_note_claim() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public AS $$
BEGIN
    INSERT INTO chaos_claim (generation_id, process, overtakes)
    VALUES (NEW.id, current_setting('application_name'), OLD.lease_token IS NOT NULL);
    RETURN NULL;
END $$;
CREATE TRIGGER chaos_note_claim AFTER UPDATE OF lease_token ON generation_generation FOR EACH ROW
WHEN (NEW.lease_token IS NOT NULL AND NEW.lease_token IS DISTINCT FROM OLD.lease_token)
EXECUTE FUNCTION chaos_note_claim();
"""
# A write-back takes the lease's token away; a claim that finds one overtakes somebody.
OVERTAKEN = """
SELECT generation_id::text, process,
       extract(epoch FROM since)::float8, extract(epoch FROM at)::float8
  FROM (SELECT generation_id, at, overtakes,
               lag(process) OVER turns AS process, lag(at) OVER turns AS since
          FROM chaos_claim WINDOW turns AS (PARTITION BY generation_id ORDER BY id)) AS claim
 WHERE overtakes AND process IS NOT NULL ORDER BY at
"""


@dataclass(frozen=True, slots=True)
class Overtaken:
    """A claim without a write-back: its process, its begin and end (seconds since 1970)."""

    generation: str
    process: int
    since: float
    until: float


@dataclass(slots=True)
class Fallen:
    """The victims of the driver."""

    processes: set[int] = field(default_factory=set)
    database_deaths: list[float] = field(default_factory=list)  # seconds since 1970

    def database_died(self) -> None:
        """The database goes down now, with every session."""
        self.database_deaths.append(time.time())

    def explain(self, claim: Overtaken) -> bool:
        """Whether ``claim`` was lost because of what we did."""
        return claim.process in self.processes or any(
            claim.since <= moment <= claim.until for moment in self.database_deaths
        )


@dataclass(frozen=True, slots=True)
class Hits:
    """Generations that were hit, and claims that were lost without a reason."""

    generations: frozenset[str] = frozenset()
    unexplained: tuple[Overtaken, ...] = ()


def install(owner_url: str) -> None:
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute(NOTE_CLAIMS.encode())


def overtaken(owner_url: str) -> list[Overtaken]:
    """Every claim that ended without a write-back."""
    with psycopg.connect(owner_url) as connection:
        rows = connection.execute(OVERTAKEN.encode()).fetchall()
    return [Overtaken(name, int(process), since, until) for name, process, since, until in rows]


def hits(claims: list[Overtaken], fallen: Fallen) -> Hits:
    """Tell the claims that we ended from those that were lost."""
    explained = frozenset(claim.generation for claim in claims if fallen.explain(claim))
    return Hits(explained, tuple(claim for claim in claims if not fallen.explain(claim)))

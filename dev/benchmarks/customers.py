"""Customers for a load: accounts with credits and API keys, written as the tables' owner."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass

import psycopg

from accounts.secrets import KEY_PREFIX, digest, generate, preview

CREDITS = 10**12  # of each; no measurement ends for want of them

ACCOUNTS = """
WITH customer AS (
    SELECT number - 1 AS number, digest, preview
      FROM unnest(%(digests)s::bytea[], %(previews)s::text[])
           WITH ORDINALITY AS given (digest, preview, number)
), person AS (
    INSERT INTO accounts_user (id, password, is_superuser, username, first_name, last_name, email,
                               is_staff, is_active, date_joined)
    SELECT md5(%(tag)s || '-user-' || number)::uuid, '!', false, %(tag)s || '-' || number, '', '',
           %(tag)s || '-' || number || '@example.com', false, true, now()
      FROM customer
), account AS (
    INSERT INTO accounts_account (id, name, suspended_reason, created_at)
    SELECT md5(%(tag)s || '-account-' || number)::uuid, %(tag)s || '-' || number, '', now()
      FROM customer
), member AS (
    INSERT INTO accounts_membership (user_id, account_id, role, created_at)
    SELECT md5(%(tag)s || '-user-' || number)::uuid, md5(%(tag)s || '-account-' || number)::uuid,
           'owner', now()
      FROM customer
), api_key AS (
    INSERT INTO accounts_apikey (id, account_id, created_by_id, kind, name, digest, preview, scopes,
                                 created_at, last_used_at)
    SELECT md5(%(tag)s || '-key-' || number)::uuid, md5(%(tag)s || '-account-' || number)::uuid,
           md5(%(tag)s || '-user-' || number)::uuid, 'key', 'benchmark', digest, preview, '[]',
           now(), now()
      FROM customer
), wallet AS (
    INSERT INTO credits_wallet (account_id, balance, sequence, open_charges)
    SELECT md5(%(tag)s || '-account-' || number)::uuid, %(credits)s, 1, 0 FROM customer
)
INSERT INTO credits_ledgerentry (id, wallet_id, sequence, kind, amount, balance_after, description,
                                 created_at)
SELECT md5(%(tag)s || '-grant-' || number)::uuid, md5(%(tag)s || '-account-' || number)::uuid, 1,
       'grant', %(credits)s, %(credits)s, 'For a benchmark', now()
  FROM customer
"""
ENDPOINTS = """
INSERT INTO events_webhookendpoint (id, account_id, url, description, event_types, enabled,
                                    disabled_reason, api_version, secret, secret_hint)
SELECT gen_random_uuid(), md5(%(tag)s || '-account-' || number)::uuid,
       'https://hooks.example.com/in', '', ARRAY['*'], true, '', '2026-12-01', 'sealed', 'abcd'
  FROM generate_series(%(first)s::int, %(last)s::int) AS number
"""


@dataclass(frozen=True, slots=True)
class Customers:
    """Accounts whose rows are named by ``tag`` and their number; ``secrets`` in that order."""

    tag: str
    secrets: tuple[str, ...]

    def authorization(self, number: int) -> str:
        return f"Bearer {self.secrets[number]}"

    def to_json(self) -> str:
        """For a file that only its owner reads."""
        return json.dumps({"tag": self.tag, "secrets": self.secrets})


def make(connection: psycopg.Connection, count: int) -> Customers:
    """Add so many customers; the caller commits."""
    tag = f"bench-{uuid.uuid4().hex[:8]}"
    secrets = tuple(generate(KEY_PREFIX) for _ in range(count))
    values = {
        "tag": tag,
        "credits": CREDITS,
        "digests": [digest(secret) for secret in secrets],
        "previews": [preview(secret) for secret in secrets],
    }
    connection.execute(ACCOUNTS, values)
    return Customers(tag, secrets)


def give_endpoints(connection: psycopg.Connection, customers: Customers) -> None:
    """One to each of the later half."""
    count = len(customers.secrets)
    values = {"tag": customers.tag, "first": count // 2, "last": count - 1}
    connection.execute(ENDPOINTS, values)


def from_json(text: str) -> Customers:
    found = json.loads(text)
    return Customers(found["tag"], tuple(found["secrets"]))

"""Creating a generation: one statement takes the credits and writes entry and row, or nothing.

Idempotency is a column of that row (decision 6). Decide where it is locked; only when that refused
(0 rows) or collided (unique violation), look the key up in a new snapshot. Looked up first, 97 of
300 racing replays were wrong in a trial.
"""

from __future__ import annotations

import uuid
from contextlib import nullcontext
from functools import partial
from typing import Any

from django.conf import settings
from django.db import IntegrityError, OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable, UniqueViolation
from psycopg.types.json import Jsonb

from accounts.caller import Caller
from common import ids
from common.crash import crash_point
from common.errors import AccountSuspended, ApiError
from common.idempotency import IdempotencyInProgress, IdempotencyKeyReused, fingerprint, is_of
from common.statement import Statement
from credits import ledger, statements
from credits.models import Wallet
from generation import metrics, origin
from generation.inputs.images import first_unusable, to_fetch, upload_ids
from generation.models import CatalogModel, Generation
from generation.offer import availability, catalog
from generation.offer.parameters import Parameters
from generation.order import CreateResult, Order
from generation.provider import admission
from generation.refusals import (
    CAME_TO_NOTHING,
    InsufficientCredits,
    ModelUnavailable,
    PriceAboveMax,
    ProviderBusy,
    TooManyOpenGenerations,
    TooManyUndelivered,
    UnusableUpload,
)
from work.wake import wake

KEY_CONSTRAINT = "generation_idempotency_key_unique"

SQL = """WITH{uploads}{charge}, generation AS (
        INSERT INTO generation_generation
            (id, account_id, created_by_id, api_key_id, idempotency_key, request_sha256,
             model_id, kind, prompt, parameters, price, estimated_time, expected_seconds, charge_id,
             state, version, next_attempt_at, strikes, retries, deadline_at, unknown_attempts,
             last_error, project, location, provider_model, output_uri, output_key, output_type,
             output_sha256, output_facts, error_code, error_message, error_retryable,
             retry_of_id, grant_id, webhook_url, images_until, created_at, updated_at)
        SELECT %(generation)s::uuid, wallet_id, %(created_by)s::uuid, %(api_key)s::uuid,
               %(key)s::varchar, %(request)s::bytea,
               %(model)s::varchar, %(kind)s::varchar, %(prompt)s::varchar, %(parameters)s::jsonb,
               %(price)s::int, %(estimated_time)s::varchar,
               %(expected_seconds)s::float8, entry.id, 'queued', 1, now(), 0, 0,
               now() + %(deadline)s::float8 * interval '1 second',
               0, '', '', '', '', '', '', '', '', '{}', '', '', false,
               %(retry_of)s::uuid, %(grant)s::uuid, %(webhook_url)s::varchar,
               now() + %(images)s::float8 * interval '1 second', now(), now()
          FROM entry
        RETURNING id
    ){uses}
    INSERT INTO generation_generationevent
        (generation_id, sequence, state, is_terminal, data, created_at)
    SELECT generation.id, 1, 'queued', false, %(event_data)s::jsonb, now() FROM generation
    RETURNING (SELECT balance_after FROM entry)
"""
CREATE = Statement(SQL, uploads="", charge=statements.CHARGE, when="", uses="")
# Retention skips an upload that is locked here, and looks for its uses only under its own lock.
CREATE_WITH_UPLOADS = Statement(
    SQL,
    uploads="""
    upload AS (
        SELECT id FROM generation_upload
         WHERE id = ANY(%(uploads)s::uuid[]) AND account_id = %(account)s::uuid
           AND deleted_at IS NULL
           AND (expires_at > now() OR expires_at IS NOT NULL AND %(retry_of)s::uuid IS NOT NULL)
           FOR SHARE
    ),""",
    charge=statements.CHARGE,
    when=" AND (SELECT count(*) FROM upload) = cardinality(%(uploads)s::uuid[])",
    uses=""", used AS (
        INSERT INTO generation_uploaduse (upload_id, generation_id)
        SELECT upload.id, generation.id FROM upload, generation
    )""",
)


def create(order: Order) -> CreateResult:
    """Charge and create, or replay what the same key created before.

    Raises one of generation/refusals.py; then nothing was written. In autocommit the statement is
    the transaction; inside of one it gets a savepoint, so that a collision can still be looked up.
    The first stage is woken on commit.
    """
    uploads = upload_ids(order.parameters.source_image_urls)
    if uploads and (fault := _unusable_upload(order)) is not None:
        return _replay_or(order, fault)
    if order.max_credits is not None and order.price > order.max_credits:
        return _replay_or(order, _above_max(order, order.max_credits))
    if (wait := availability.paused_for(order.model)) > 0:
        return _replay_or(order, ModelUnavailable(order.model.name, wait))
    if admission.is_overloaded(order.model):
        return _replay_or(order, ProviderBusy(headers={"Retry-After": "60"}))
    generation_id = ids.new()
    crash_point("api.before_statement")
    savepoint = transaction.atomic() if connection.in_atomic_block else nullcontext()
    try:
        with savepoint:
            statement = CREATE_WITH_UPLOADS if uploads else CREATE
            row = statement.one(_values(order, generation_id) | {"uploads": uploads})
    except IntegrityError as error:
        if not _is_key_collision(error):
            raise
        return _replay_or(order, IdempotencyInProgress(headers={"Retry-After": "1"}))
    except OperationalError as error:
        # The role's lock_timeout (2 s): the first request with this key may hold the wallet.
        if order.idempotency_key is None or not isinstance(error.__cause__, LockNotAvailable):
            raise
        return _replay_or(order, IdempotencyInProgress(headers={"Retry-After": "1"}))
    if row is None:
        return _replay_or(order, None)
    crash_point("api.after_commit")
    metrics.count_created(order.model.name, order.price)
    awaited = bool(to_fetch(order.parameters.source_image_urls))
    transaction.on_commit(partial(wake, "prepare" if awaited else "submit"))
    return CreateResult(
        generation_id=generation_id,
        model=order.model,
        parameters=order.parameters,
        price=order.price,
        balance=row[0],
        estimated_time=catalog.estimated_time(order.model, order.parameters),
        replayed=False,
    )


def _values(order: Order, generation_id: uuid.UUID) -> dict[str, Any]:
    model, key = order.model, order.idempotency_key
    return {
        "account": order.caller.account_id,
        "created_by": order.caller.user_id,
        "api_key": order.caller.key_id,
        "open_limit": settings.MAX_OPEN_GENERATIONS,
        "refund_lead": ledger.refund_lead(),
        "charge": ids.new(),
        "description": f"{model.name} generation",
        "generation": generation_id,
        "key": key,
        "request": None if key is None else fingerprint(order.path, order.body),
        "model": model.pk,
        "kind": model.kind,
        "prompt": order.prompt,
        "parameters": Jsonb(order.parameters.to_json()),
        "price": order.price,
        "estimated_time": catalog.estimated_time(model, order.parameters),
        "expected_seconds": catalog.expected_seconds(model, order.parameters),
        "deadline": settings.DEADLINE,
        "retry_of": order.retry_of,
        "grant": order.grant,
        "webhook_url": order.webhook_url,
        "images": settings.IMAGES_TIME if to_fetch(order.parameters.source_image_urls) else None,
        "event_data": Jsonb(origin.of_this_request() | order.event_data),
    }


def _replay_or(order: Order, error: ApiError | None) -> CreateResult:
    key = order.idempotency_key
    found = replay(order.caller, key, order.path, order.body) if key is not None else None
    if found is None:
        raise error or _refusal(order)
    return found


def _unusable_upload(order: Order) -> UnusableUpload | None:
    """The order's first unusable upload, if any. Staff may order again with an expired one."""
    entries, again = order.parameters.source_image_urls, order.retry_of is not None
    index = first_unusable(order.caller.account_id, entries, expired=again)
    return None if index is None else UnusableUpload(index)


def _above_max(order: Order, most: int) -> PriceAboveMax:
    extra = {"credits_needed": order.price, "max_credits": most} | _named(order)
    sentence = f"This costs {order.price} credits, more than max_credits ({most})"
    return PriceAboveMax(sentence, extra=extra)


def _named(order: Order) -> dict[str, Any]:
    """The name of what was ordered, in a refusal because of its price."""
    of_video = order.model.kind == CatalogModel.Kind.VIDEO
    name = {"video_model": order.model.name} if of_video else {}
    return {**name, "generation_type": order.model.kind}


def _is_key_collision(error: IntegrityError) -> bool:
    cause = error.__cause__
    return isinstance(cause, UniqueViolation) and cause.diag.constraint_name == KEY_CONSTRAINT


def replay(caller: Caller, key: str, path: str, body: dict[str, Any]) -> CreateResult | None:
    """The answer to the create that this key made before; None if it made none.

    Raises IdempotencyKeyReused if the key belongs to another request.
    """
    rows = Generation.objects.select_related("charge", "model")
    found = rows.filter(account_id=caller.account_id, idempotency_key=key).first()
    if found is None:
        return None
    if not is_of(bytes(found.request_sha256 or b""), path, body):
        raise IdempotencyKeyReused
    return CreateResult(
        generation_id=found.pk,
        model=found.model,
        parameters=Parameters.of(found.kind, found.parameters),
        price=found.price,
        balance=found.charge.balance_after,
        estimated_time=found.estimated_time,
        replayed=True,
    )


def _refusal(order: Order) -> ApiError:
    """Why nothing was charged. The balance is judged first (contract, section 6)."""
    price = order.price
    wallet = Wallet.objects.select_related("account").get(pk=order.caller.account_id)
    if wallet.account.suspended_at is not None:
        return AccountSuspended()
    if (fault := _unusable_upload(order)) is not None:
        return fault
    if wallet.balance < price:
        extra = {"credits_needed": price, "credits_balance": wallet.balance} | _named(order)
        sentence = f"Insufficient credits. Need {price}, have {wallet.balance}"
        return InsufficientCredits(sentence, extra=extra)
    limit = wallet.max_open_charges
    if limit is None:
        limit = settings.MAX_OPEN_GENERATIONS
    if wallet.open_charges < limit and (wait := ledger.refund_wait(wallet)) > 0:
        sentence = f"{CAME_TO_NOTHING}, try again in {wait} seconds"
        return TooManyUndelivered(sentence, headers={"Retry-After": str(wait)})
    return TooManyOpenGenerations(
        f"At most {limit} generations can be open at once, wait for one to finish",
        headers={"Retry-After": "10"},
    )

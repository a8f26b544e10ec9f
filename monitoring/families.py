"""What the gauges of the database are made with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from prometheus_client.core import GaugeMetricFamily

Rows = Sequence[tuple[Any, ...]]


def gauge(name: str, meaning: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, meaning, labels=labels)


def ask(statement: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> Rows:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        found: Rows = cursor.fetchall()
        return found

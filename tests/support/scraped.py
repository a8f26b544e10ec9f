"""Reads what /metrics answers."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(text: str) -> Samples:
    """Every sample by name and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(found: Samples, name: str, **labels: str) -> float:
    """One sample; 0 when it was never counted."""
    return found.get((name, frozenset(labels.items())), 0.0)


def names(text: str) -> set[str]:
    """What the samples are called."""
    return {name for name, _ in samples(text)}

"""The table of a run, for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from dev.chaos.book import Book
from dev.chaos.receipts import Receipts
from dev.chaos.verdict import Verdict, share_completed


def table(verdict: Verdict, book: Book, receipts: Receipts) -> str:
    run = verdict.run
    sections: dict[str, Mapping[str, int]] = {
        "faults": run.faults,
        "crash points": run.crashes,
        "provider faults": Counter(marker for marker in verdict.marked.values() if marker),
        "generations": Counter(str(row["state"]) for row in verdict.rows),
        "reasons": _reasons(verdict),
        "customers": book.tally,
        "ways in which ends were told": book.ways,
        "provider": _provider(verdict),
        "Stripe's faults": Counter(word for words in verdict.played.values() for word in words),
        "payments": _payments(verdict),
        "buyers": receipts.tally,
        "disturbance": _disturbance(verdict),
    }
    lines = []
    for title, counts in sections.items():
        lines.append(f"\n{title}")
        lines += [f"  {name:<60} {count:>7}" for name, count in sorted(counts.items())]
    lines.append("\nwhat has to hold, and of how many it was asked")
    lines += [
        f"  {found.sentence:<68} {found.checked:>6}" + ("   NOT SO" if found.wrong else "")
        for found in verdict.findings
    ]
    calm, unmarked = share_completed(verdict.undisturbed), share_completed(verdict.unmarked)
    lines += [
        "",
        f"undisturbed and completed {calm:>49.1%}",
        f"without a provider fault and completed {unmarked:>36.1%}",
        f"slowest create that answered {book.slowest_create:>44.1f} s",
    ]
    return "\n".join(lines)


def _reasons(verdict: Verdict) -> Counter[str]:
    """Error codes; for undisturbed generations with the operators' words."""
    calm = {row["id"] for row in verdict.undisturbed}
    reasons = Counter[str]()
    for row in verdict.undelivered:
        if row["error_code"]:
            reasons[row["error_code"]] += 1
        if row["id"] in calm:
            reasons[f"undisturbed: {row['error_code']} {row['last_error'][:30]}"] += 1
    return reasons


def _provider(verdict: Verdict) -> dict[str, int]:
    bought = verdict.bought
    return {
        "operations accepted": sum(bought.accepted.values()),
        "operations billed (they ended with a file)": sum(bought.billed.values()),
        "generations with more than one accepted operation": len(bought.asked_twice),
        "generations with more than one billed operation": len(verdict.paid_twice),
        "whole videos that nobody got": len(verdict.orphans),
        "outputs in the report of orphans, broken ones included": verdict.reported,
        "images lost with their answer": len(verdict.lost_images),
    }


def _payments(verdict: Verdict) -> dict[str, int]:
    rows, money = verdict.till.rows, verdict.till.money.values()
    return Counter(str(row["state"]) for row in rows) | {
        "credits given": sum(row["given"] for row in rows),
        "credits taken back": sum(row["taken_back"] for row in rows),
        "taken, in minor units": sum(each["taken"] for each in money),
        "refunded": sum(each["refunded"] for each in money),
        "disputed": sum(each["disputed"] for each in money),
        "payments that an operator refunded": sum(row["by_operator"] for row in rows),
    }


def _disturbance(verdict: Verdict) -> dict[str, int]:
    hits = verdict.run.hits
    return {
        "generations that lost a claim to a fault": len(hits.generations),
        "claims that were lost without a fault": len(hits.unexplained),
        "generations without a provider fault": len(verdict.unmarked),
        "of these undisturbed": len(verdict.undisturbed),
    }

"""Markdown."""

from __future__ import annotations


def markdown(header: list[str], rows: list[list[str]]) -> list[str]:
    lines = ["| " + " | ".join(header) + " |", "|---" * len(header) + "|"]
    return lines + ["| " + " | ".join(row) + " |" for row in rows] + [""]


def three_digits(number: float) -> str:
    """3 significant digits, as plain as can be."""
    if number >= 100:
        return f"{number:.0f}"
    if number >= 10:
        return f"{number:.1f}"
    return f"{number:.2f}" if number >= 1 else f"{number:.3f}"


def time_pair(least: float, median: float, unit: float = 1e6) -> str:
    """Minimum / median of nanoseconds, in milliseconds without `unit`."""
    return f"{three_digits(least / unit)} / {three_digits(median / unit)}"


def sizes(case) -> list[str]:
    """B, T, F and U; the number of layers only where it is not two."""
    units = f"{case.units}" if case.layers == 2 else f"{case.units}, {case.layers} layers"
    return [*(str(size) for size in case[:3]), units]


SIZES = ["B", "T", "F", "U"]

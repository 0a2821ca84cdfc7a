"""French typography of numbers."""

from __future__ import annotations


def french(number: float | int | None) -> str:
    """12345.678 → 12 345,68 (narrow no-break spaces)."""
    if number is None:
        return "—"
    text = f"{number:,.2f}".rstrip("0").rstrip(".") if isinstance(number, float) else f"{number:,}"
    return text.replace(",", "\u202f").replace(".", ",")

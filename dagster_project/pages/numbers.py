"""Numbers and dates as French readers see them: the one way, on pages and in terminals."""

from __future__ import annotations

from datetime import UTC, datetime

THIN = "\u202f"  # narrow no-break space: thousands, and before % and units
NO_BREAK = "\u00a0"
NONE = "—"
_SIZES = (("Go", 10**9), ("Mo", 10**6), ("Ko", 10**3))


def number(value: float | None, decimals: int | None = None) -> str:
    """3530.0 → 3 530; 0.231 → 0,231; None → —.

    Every digit that the number needs is shown, unless `decimals` says after how many to round; zeros at the end of
    a fraction are not.
    """
    if value is None:
        return NONE
    text = f"{value:,}" if decimals is None or isinstance(value, int) else f"{value:,.{decimals}f}"
    if "." in text and "e" not in text:
        text = text.rstrip("0").removesuffix(".")
    if text == "-0":
        return "0"
    sign, digits = ("−", text[1:]) if text.startswith("-") else ("", text)
    return sign + digits.replace(",", THIN).replace(".", ",")


def measure(value: float | None) -> str:
    """A measured value as people write it: two decimals, three significant figures when it is smaller than one."""
    if value is None or not value or abs(value) >= 1:
        return number(value, 2)
    return significant(value, 3)


def significant(value: float, figures: int = 6) -> str:
    """0.0325383536 → 0,0325384; 108805.86 → 108 806: six figures are enough for what a reader multiplies."""
    return number(float(f"{value:.{figures}g}"))


def quantity(value: float | None, unit: str, decimals: int | None = None) -> str:
    """A number and its unit; nothing after an absent one."""
    return number(value) if value is None else f"{number(value, decimals)}{THIN}{unit}"


def size(count: int) -> str:
    """Bytes in the largest unit that they fill: 1234567 → 1,2 Mo."""
    for unit, scale in _SIZES:
        if count >= scale:
            return quantity(count / scale, unit, 1)
    return quantity(count, "octets" if count > 1 else "octet")


def moment(when: datetime | str | None) -> str:
    """2026-11-24T06:11:31+00:00 → 24/11/2026 à 06 h 11 (UTC); any other text as it is.

    A time without a zone is in UTC, as everywhere in this program.
    """
    try:
        time = when if isinstance(when, datetime) else datetime.fromisoformat(when or "")
    except ValueError:
        return str(when) if when else "date inconnue"
    time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    return time.strftime(f"%d/%m/%Y à %H{THIN}h{THIN}%M (UTC)")


def plural(count: int, word: str, words: str | None = None) -> str:
    """1 fichier, 1 234 fichiers inchangés: each word takes an s from 2 on, unless `words` says otherwise."""
    several = words or " ".join(f"{each}s" for each in word.split())
    return f"{number(count)} {word if abs(count) < 2 else several}"  # noqa: PLR2004 (the rule of French)

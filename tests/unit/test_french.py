"""Numbers, dates and invisible characters as French readers see them."""

from __future__ import annotations

import pytest

from dagster_project.pages import french


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        *((3530.0, None, "3\u202f530"), (46.8, None, "46,8"), (-1234.5, None, "−1\u202f234,5"), (0.0, None, "0")),
        *((31.450463, 2, "31,45"), (1e-7, None, "1e-07"), (1234567, None, "1\u202f234\u202f567"), (None, None, "—")),
    ],
)
def test_numbers(value: float | None, decimals: int | None, text: str) -> None:
    assert french.number(value, decimals) == text


def test_quantities() -> None:
    assert french.quantity(12.5, "%") == "12,5\u202f%"
    assert french.quantity(None, "%") == "—"


@pytest.mark.parametrize(("count", "text"), [(0, "0 constat"), (1, "1 constat"), (1500, "1\u202f500 constats")])
def test_plurals(count: int, text: str) -> None:
    assert french.plural(count, "constat") == text


def test_moments() -> None:
    assert french.moment("2026-11-24T06:11:31+00:00") == "24/11/2026 à 06\u202fh\u202f11 (UTC)"
    assert french.moment("2026-11-24T06:11:31+02:00") == "24/11/2026 à 04\u202fh\u202f11 (UTC)"
    assert french.moment("hier") == "hier"
    assert french.moment(None) == "date inconnue"


def test_no_break_spaces() -> None:
    assert french.typeset("« un » : deux ; trois ? 4 %") == (
        "«\u00a0un\u00a0»\u00a0: deux\u202f; trois\u202f? 4\u202f%"
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        *((None, ""), ("46,8", "46,8"), ("a b", "a b"), ("1\u202f234", "1[U+202F]234"), ("\u00a05", "[U+00A0]5")),
        *((" 5 ", "[U+0020]5[U+0020]"), ("a\tb\n", "a[U+0009]b[U+000A]"), ("\ufeffx", "[U+FEFF]x"), ("é’", "é’")),
    ],
)
def test_what_the_eye_misses_is_spelt(text: str | None, shown: str) -> None:
    assert french.visible(text) == shown

"""Numbers, dates and invisible characters as French readers see them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dagster_project.pages import french, numbers


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        *((3530.0, None, "3\u202f530"), (46.8, None, "46,8"), (-1234.5, None, "−1\u202f234,5"), (0.0, None, "0")),
        *((31.450463, 2, "31,45"), (1e-7, None, "1e-07"), (1234567, None, "1\u202f234\u202f567"), (None, None, "—")),
        *((0.231, None, "0,231"), (1234.5, None, "1\u202f234,5"), (0.1 + 0.2, None, "0,30000000000000004")),
        *((-0.001, 2, "0"), (1200.0, 1, "1\u202f200"), (-1e-7, None, "−1e-07"), (100, 2, "100")),
    ],
)
def test_numbers(value: float | None, decimals: int | None, text: str) -> None:
    assert numbers.number(value, decimals) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "—"), (0.0, "0"), (0.231, "0,231"), (0.98765, "0,988"), (-17.33333, "−17,33"), (0.00123, "0,00123")],
)
def test_measures_keep_what_tells_small_ones_apart(value: float | None, text: str) -> None:
    assert numbers.measure(value) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        *((1, "1\u202foctet"), (999, "999\u202foctets"), (1500, "1,5\u202fKo")),
        (1_234_567, "1,2\u202fMo"),
        (3 * 10**9, "3\u202fGo"),
    ],
)
def test_sizes(size: int, text: str) -> None:
    assert numbers.size(size) == text


@pytest.mark.parametrize(
    ("code", "name"),
    [("france", "France"), ("west", "Bretagne et Pays de la Loire"), ("dep:35,44", "départements 35, 44")],
)
def test_territories(code: str, name: str) -> None:
    assert french.territory(code) == name


def test_quantities() -> None:
    assert numbers.quantity(12.5, "%") == "12,5\u202f%"
    assert numbers.quantity(None, "%") == "—"


@pytest.mark.parametrize(("count", "text"), [(0, "0 constat"), (1, "1 constat"), (1500, "1\u202f500 constats")])
def test_plurals(count: int, text: str) -> None:
    assert numbers.plural(count, "constat") == text


def test_each_word_of_several_takes_the_plural() -> None:
    assert numbers.plural(2, "chiffre inchangé") == "2 chiffres inchangés"
    assert numbers.plural(3, "bâtiment", "bâtiments") == "3 bâtiments"


def test_moments() -> None:
    assert numbers.moment("2026-11-24T06:11:31+00:00") == "24/11/2026 à 06\u202fh\u202f11 (UTC)"
    assert numbers.moment("2026-11-24T06:11:31+02:00") == "24/11/2026 à 04\u202fh\u202f11 (UTC)"
    assert numbers.moment("2026-11-24T06:11:31") == "24/11/2026 à 06\u202fh\u202f11 (UTC)"
    assert numbers.moment(datetime(2026, 11, 24, 6, 11, tzinfo=UTC)) == "24/11/2026 à 06\u202fh\u202f11 (UTC)"
    assert numbers.moment("hier") == "hier"
    assert numbers.moment(None) == "date inconnue"


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

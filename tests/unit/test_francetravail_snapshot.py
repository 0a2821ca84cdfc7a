"""Snapshots of offers over days: first seen, last seen, gone."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.sources.clients.snapshot import SnapshotError, State, merge, read_state

MONDAY, TUESDAY, WEDNESDAY = "2026-03-02", "2026-03-03", "2026-03-04"


def offer(identifier: str, commune: str = "35238", **more: Any) -> dict[str, Any]:
    return {"id": identifier, "lieuTravail": {"commune": commune}, **more}


def dates(state: State) -> dict[str, tuple[str, str, str | None]]:
    return {
        found["id"]: (found["premiere_vue"], found["derniere_vue"], found["disparue_le"]) for found in state.records()
    }


def test_an_offer_is_seen_then_gone() -> None:
    state = merge(State(), [offer("A"), offer("B")], ["35"], MONDAY)
    state = merge(state, [offer("B", nombrePostes=2)], ["35"], TUESDAY)
    state = merge(state, [offer("B", nombrePostes=2)], ["35"], WEDNESDAY)
    assert dates(state) == {"A": (MONDAY, MONDAY, TUESDAY), "B": (MONDAY, WEDNESDAY, None)}
    assert state.records()[1]["nombrePostes"] == 2


def test_an_offer_that_comes_back_is_open_again() -> None:
    state = merge(State(), [offer("A")], ["35"], MONDAY)
    state = merge(state, [], ["35"], TUESDAY)
    assert dates(merge(state, [offer("A")], ["35"], WEDNESDAY)) == {"A": (MONDAY, WEDNESDAY, None)}


def test_an_interrupted_harvest_says_nothing_of_what_it_did_not_see() -> None:
    state = merge(State(), [offer("A"), offer("B", "22278")], ["22", "35"], MONDAY)
    state = merge(state, [], ["22"], TUESDAY)
    assert dates(state) == {"A": (MONDAY, MONDAY, None), "B": (MONDAY, MONDAY, TUESDAY)}


def test_what_an_interrupted_harvest_saw_is_seen() -> None:
    state = merge(merge(State(), [offer("A"), offer("B")], ["35"], MONDAY), [offer("A")], [], TUESDAY)
    assert dates(state) == {"A": (MONDAY, TUESDAY, None), "B": (MONDAY, MONDAY, None)}


def test_an_offer_of_no_departement_is_never_said_gone() -> None:
    abroad = {"id": "S", "lieuTravail": {"libelle": "Suisse (Frontalier)"}}
    assert dates(merge(merge(State(), [abroad], ["35"], MONDAY), [], ["35"], TUESDAY))["S"][2] is None


@pytest.mark.parametrize("day", ["2026-03-01", "20260302", "hier", "2026-3-2"])
def test_a_day_out_of_order_or_not_a_day_is_refused(day: str) -> None:
    with pytest.raises(SnapshotError):
        merge(merge(State(), [], [], MONDAY), [], [], day)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"jour": "", "offres": [{"offer": {}}]}', b'{"jour": 1}'])
def test_a_state_that_is_not_one_is_refused(content: bytes) -> None:
    with pytest.raises(SnapshotError, match="not a state"):
        read_state(content)


Day = tuple[set[str], set[str]]
days = st.lists(
    st.tuples(st.sets(st.sampled_from("ABCDEF")), st.sets(st.sampled_from(["22", "35"]))), min_size=1, max_size=6
)
PLACES = dict(zip("ABCDEF", ("35238", "35047", "22278", "22113", "44109", "35238"), strict=True))


def merged(state: State, seen: set[str], whole: set[str], day: str) -> State:
    return merge(state, [offer(name, PLACES[name]) for name in seen], whole, day)


@given(days)
def test_snapshots_keep_their_word(harvests: list[Day]) -> None:
    state, history = State(), dict[str, list[str]]()
    for number, (seen, whole) in enumerate(harvests):
        day = (date(2026, 3, 1) + timedelta(number)).isoformat()
        for name in seen:
            history.setdefault(name, []).append(day)
        state = merged(state, seen, whole, day)
        again = merged(state, seen, whole, day)
        assert again.content() == state.content()  # the same day again changes nothing
        assert read_state(state.content()) == state
        assert {name: (first, last) for name, (first, last, _) in dates(state).items()} == {
            name: (found[0], found[-1]) for name, found in history.items()
        }
        gone = {name for name, (_, _, lost) in dates(state).items() if lost}
        assert not gone & seen
        assert all(last < lost for _, last, lost in dates(state).values() if lost)
        assert {name for name in history if PLACES[name][:2] in whole} - seen <= gone

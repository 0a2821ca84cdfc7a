"""Harvests of offers from a local API that pages, caps, moves and fails as the real one does."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import SecretStr

from dagster_project.settings import Settings
from dagster_project.sources.clients import transport
from dagster_project.sources.clients.api import AccessError
from dagster_project.sources.clients.offer_fields import KEPT, canonical, departement_of, kept
from dagster_project.sources.clients.offres import Harvest, Offres
from dagster_project.sources.http_policy import FetchError
from tests.francetravail_api import CLIENT_ID, CLIENT_SECRET, NOW, SEARCH_PATH, FakeApi, Time, offer, once, opened
from tests.http_server import Reply, ScriptedServer


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ScriptedServer() as started:
        yield started


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        home=tmp_path / "home",
        sources="live",
        max_retries=2,
        francetravail_client_id=CLIENT_ID,
        francetravail_client_secret=CLIENT_SECRET,
    )


@pytest.fixture
def time() -> Time:
    return Time()


class Ground:
    """A universe of offers and its harvest."""

    def __init__(self, server: ScriptedServer, settings: Settings, time: Time) -> None:
        self.server, self.settings, self.time = server, settings, time
        self.api = FakeApi(server)

    def hold(self, *offers: dict[str, Any], cap: int = 3150) -> FakeApi:
        self.api.offers, self.api.cap = list(offers), cap
        return self.api

    def harvest(self, *departements: str, codes: tuple[str, ...] = (), **options: Any) -> Harvest:
        with opened(self.settings, self.server, self.time) as api:
            return Offres(api, now=self.time.now, **options).harvest(departements or ("35",), codes)


@pytest.fixture
def ground(server: ScriptedServer, settings: Settings, time: Time) -> Ground:
    return Ground(server, settings, time)


def ids(harvest: Harvest) -> list[str]:
    return [found["id"] for found in harvest.offers]


def known(api: FakeApi) -> list[str]:
    return sorted(found["id"] for found in api.offers)


# --- pages ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [0, 1, 149, 150, 151, 300, 301, 3150])
def test_every_offer_comes_back_whatever_their_number(ground: Ground, number: int) -> None:
    api = ground.hold(*(offer(n) for n in range(number)))
    harvest = ground.harvest()
    assert ids(harvest) == known(api)
    assert harvest.counts["offres"] == number
    assert harvest.whole == ("35",)
    assert all(int(p["range"].split("-")[1]) - int(p["range"].split("-")[0]) < 150 for p in api.pages_asked())


def test_partners_are_asked_for_by_themselves(ground: Ground) -> None:
    api = ground.hold(offer(1), offer(2, origineOffre={"origine": "2"}))
    assert ids(ground.harvest()) == known(api)
    assert {asked["origineOffre"] for asked in api.pages_asked()} == {"1", "2"}


def test_an_answer_without_content_range_is_whole_when_the_api_says_so(ground: Ground) -> None:
    api = ground.hold(offer(1), offer(2))
    api.with_range = False
    assert ids(ground.harvest()) == known(api)


def test_a_part_without_content_range_stops_its_departement(ground: Ground) -> None:
    api = ground.hold(*(offer(n) for n in range(151)), offer(1, departement="22"))
    api.with_range = False
    harvest = ground.harvest("22", "35")
    assert list(harvest.interrupted) == ["35"]
    assert "Content-Range" in harvest.interrupted["35"]
    assert (ids(harvest), harvest.whole) == (["00000122"], ("22",))
    assert harvest.counts["departements_interrompus"] == 1


# --- more offers than the API hands over ---------------------------------------------------------------------------


def test_nine_thousand_offers_come_back_each_once(ground: Ground) -> None:
    romes = ("K1302", "D1106", "M1805", "M1101", "N4105")
    api = ground.hold(*(offer(n, rome=romes[n % 5], origineOffre={"origine": str(1 + n % 2)}) for n in range(9000)))
    harvest = ground.harvest()
    assert ids(harvest) == known(api)
    assert harvest.counts["decoupages"] == 2
    assert harvest.counts["manquantes"] == harvest.counts["decoupages_incomplets"] == 0
    assert harvest.whole == ("35",)


def test_a_domaine_beyond_the_cap_is_parted_by_the_codes_given(ground: Ground) -> None:
    codes = ("K1302", "K1304", "K2204")
    api = ground.hold(*(offer(n, rome=codes[n % 3]) for n in range(4000)), cap=1150)
    harvest = ground.harvest(codes=codes, cap=1150)
    assert ids(harvest) == known(api)
    assert set(codes) < {asked.get("codeROME") for asked in api.pages_asked()}
    assert harvest.counts["decoupages_incomplets"] == 0


def test_offers_of_a_code_that_is_not_in_the_list_are_found_by_their_date(ground: Ground) -> None:
    api = ground.hold(*(offer(n, rome=("K1302", "K9999")[n % 2]) for n in range(1000)))
    harvest = ground.harvest(codes=("K1302",), cap=300)
    assert ids(harvest) == known(api)
    assert harvest.counts["decoupages_incomplets"] == 1
    assert harvest.whole == ("35",)


def test_offers_without_rome_are_found_by_their_date(ground: Ground) -> None:
    api = ground.hold(*(offer(n, rome="" if n % 3 else "K1302") for n in range(900)))
    harvest = ground.harvest(cap=300)
    assert ids(harvest) == known(api)
    assert harvest.whole == ("35",)


@pytest.mark.parametrize("refusal", [400, 416])
def test_the_cap_is_learned_from_a_refused_page(ground: Ground, refusal: int) -> None:
    api = ground.hold(*(offer(n, rome="KLMN"[n % 4] + "1101") for n in range(2500)), cap=1150)
    if refusal != 400:
        api.faults.append(lambda params: Reply(416) if int(params["range"].split("-")[0]) > 1000 else None)
    harvest = ground.harvest()
    assert ids(harvest) == known(api)
    assert harvest.cap == 1050
    assert harvest.whole == ("35",)


def test_a_second_beyond_the_cap_is_truncated_and_counted(ground: Ground) -> None:
    moment = NOW - timedelta(days=3)
    ground.hold(*(offer(n, created=moment) for n in range(500)), *(offer(n) for n in range(600, 700)))
    harvest = ground.harvest(cap=300)
    assert harvest.counts["tronquees"] >= 1
    assert harvest.counts["manquantes"] == 600 - len(harvest.offers) == 200
    assert harvest.whole == ()
    assert harvest.interrupted == {}


@hypothesis_settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.generate],  # a smaller example tells no more, and takes minutes to find
)
@given(
    seed=st.integers(0, 2**32),
    number=st.integers(0, 900),
    seconds=st.sampled_from([60, 1000, 10**6]),
    cap=st.sampled_from([150, 300, 450]),
    romes=st.lists(st.sampled_from(["K1302", "K2204", "M1805", "A1101", ""]), min_size=1, max_size=4),
    listed=st.booleans(),
)
def test_parts_lose_nothing_and_repeat_nothing(
    server: ScriptedServer,
    settings: Settings,
    seed: int,
    number: int,
    seconds: int,
    cap: int,
    romes: list[str],
    listed: bool,
) -> None:
    """As long as no second of creation holds more than the cap."""
    draw = Random(seed)  # noqa: S311  spreads offers, guards nothing
    moments = [NOW - timedelta(milliseconds=draw.randrange(1000 * seconds)) for _ in range(number)]
    ground = Ground(server, settings, Time())
    api = ground.hold(*(offer(n, created=moment, rome=draw.choice(romes)) for n, moment in enumerate(moments)))
    harvest = ground.harvest(codes=("K1302", "K2204", "M1805") if listed else (), cap=cap)
    assert ids(harvest) == known(api)
    assert harvest.whole == ("35",)


# --- totals that move, ids that repeat -----------------------------------------------------------------------------


def second_page(params: dict[str, str]) -> bool:
    return params["range"].startswith("150-") and params["origineOffre"] == "1"


def test_a_total_that_moves_once_is_read_again(ground: Ground) -> None:
    api = ground.hold(*(offer(n) for n in range(400)))
    api.faults.append(once(lambda params: api.page(params, total_change=-3) if second_page(params) else None))
    harvest = ground.harvest()
    assert ids(harvest) == known(api)
    assert (harvest.counts["relances"], harvest.counts["instables"], harvest.whole) == (1, 0, ("35",))


def test_a_total_that_never_rests_is_counted_and_the_departement_is_not_whole(ground: Ground) -> None:
    api = ground.hold(*(offer(n) for n in range(400)))
    api.faults.append(lambda params: api.page(params, total_change=-3) if second_page(params) else None)
    harvest = ground.harvest(restarts=2)
    assert (harvest.counts["relances"], harvest.counts["instables"], harvest.whole) == (2, 1, ())
    assert harvest.counts["manquantes"] == 400 - len(harvest.offers) > 0


def test_an_id_met_on_two_pages_is_kept_once_and_counted(ground: Ground) -> None:
    api = ground.hold(*(offer(n) for n in range(200)))

    def shifted(params: dict[str, str]) -> Reply | None:
        """The second page as if ten new offers had pushed it: its first ten were on the first page."""
        if not second_page(params):
            return None
        rows = json.loads(api.page({**params, "range": "140-189"}).body)["resultats"]
        return Reply(206, json.dumps({"resultats": rows}).encode(), {"Content-Range": "offres 150-199/200"})

    api.faults.append(once(shifted))
    harvest = ground.harvest()
    assert ids(harvest) == known(api)
    assert (harvest.counts["doublons"], harvest.counts["relances"]) == (10, 1)


def test_nothing_left_between_two_pages(ground: Ground) -> None:
    api = ground.hold(*(offer(n) for n in range(200)))
    api.faults.append(once(lambda params: Reply(204) if second_page(params) else None))
    assert ids(ground.harvest()) == known(api)


def test_an_offer_without_id_is_counted(ground: Ground) -> None:
    rows = [offer(1), {"intitule": "sans identifiant"}]
    api = ground.hold()
    reply = Reply(200, json.dumps({"resultats": rows}).encode(), {"Content-Range": "offres 0-1/2"})
    api.faults.append(lambda params: reply if params["origineOffre"] == "1" else None)
    harvest = ground.harvest(restarts=0)
    assert (ids(harvest), harvest.counts["sans_id"] > 0, harvest.whole) == (["00000135"], True, ())


def test_offers_without_coordinates_are_kept_and_counted(ground: Ground) -> None:
    ground.hold(offer(1), offer(2, lieuTravail={"libelle": "35 - Ille-et-Vilaine"}), offer(3, lieuTravail=None))
    harvest = ground.harvest()
    assert (harvest.counts["offres"], harvest.counts["sans_coordonnees"]) == (3, 2)


# --- failures ------------------------------------------------------------------------------------------------------


def page_of(start: int, reply: Reply) -> Any:
    return lambda params: reply if params["range"].startswith(f"{start}-") else None


@pytest.mark.parametrize(
    ("reply", "waits"),
    [
        (Reply(429, headers={"Retry-After": "17"}), [17.0]),
        (Reply(429, headers={"Retry-After": "Sun, 01 Mar 2026 12:01:00 GMT"}), [pytest.approx(60, abs=2)]),
        (Reply(429), []),
        (Reply(503, headers={"Retry-After": "bientôt".encode().decode("latin-1")}), []),
        (Reply(500), []),
        (Reply(200, b'{"resultats": [', {"Content-Range": "offres 0-0/1"}), []),
        (Reply(206, b'{"resultats": []}' * 50, cut_after=20), []),
    ],
    ids=["429-seconds", "429-date", "429", "503", "500", "malformed", "cut"],
)
def test_a_failure_that_passes_is_waited_for(ground: Ground, reply: Reply, waits: list[float]) -> None:
    api = ground.hold(*(offer(n) for n in range(200)))
    api.faults.append(once(page_of(150, reply)))
    harvest = ground.harvest()
    assert ids(harvest) == known(api)
    assert all(wait in ground.time.waits for wait in waits)
    assert harvest.whole == ("35",)


def test_a_wait_beyond_reason_is_not_waited_for(ground: Ground) -> None:
    api = ground.hold(offer(1))
    api.faults.append(lambda params: Reply(429, headers={"Retry-After": "86400"}))
    with pytest.raises(FetchError, match="86400 s") as caught:
        ground.harvest()
    assert caught.value.transient
    assert max(ground.time.waits, default=0) < 10


@pytest.mark.parametrize(
    "reply",
    [Reply(500), Reply(200, b"<html>"), Reply(200, b"[]"), Reply(206, b'{"resultats": {}}'), Reply(200, b'{"a": 1}')],
    ids=["500", "html", "array", "object", "other"],
)
def test_one_departement_in_trouble_does_not_stop_the_others(ground: Ground, reply: Reply) -> None:
    api = ground.hold(offer(1), offer(2, departement="22"))
    api.faults.append(lambda params: reply if params["departement"] == "35" else None)
    harvest = ground.harvest("22", "35")
    assert (ids(harvest), list(harvest.interrupted), harvest.whole) == (["00000222"], ["35"], ("22",))


def test_a_body_without_end_is_refused(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_CEILING", 1 << 20)
    ground.hold(offer(1)).faults.append(lambda params: Reply(200, endless=True))
    with pytest.raises(FetchError, match="more than 1048576 bytes"):
        ground.harvest()


def test_a_redirect_is_not_followed_with_a_token(ground: Ground) -> None:
    elsewhere = Reply(302, headers={"Location": ground.server.url("/ailleurs")})
    ground.hold(offer(1)).faults.append(lambda params: elsewhere)
    with pytest.raises(FetchError, match="HTTP 302"):
        ground.harvest()
    assert ground.server.requests("/ailleurs") == []


def test_an_answer_shorter_than_announced_is_asked_again(ground: Ground) -> None:
    ground.hold(offer(1))
    ground.server.script(SEARCH_PATH, Reply(200, b"{}", announced=50))
    with pytest.raises(FetchError, match="3 attempts") as caught:
        ground.harvest()
    assert caught.value.transient


def test_attempts_are_bounded(ground: Ground) -> None:
    api = ground.hold(offer(1))
    api.faults.append(lambda params: Reply(500))
    with pytest.raises(FetchError, match=r"HTTP 500 \(3 attempts\)"):
        ground.harvest()
    assert len(api.pages_asked()) == 3


def test_requests_are_spaced(ground: Ground) -> None:
    ground.hold(*(offer(n) for n in range(1000)))
    harvest = ground.harvest()
    assert ground.time.seconds == pytest.approx((harvest.counts["requetes"] - 1) / 3)


# --- the key -------------------------------------------------------------------------------------------------------


def test_a_token_that_expires_half_way_is_asked_for_again(ground: Ground) -> None:
    api = ground.hold(*(offer(n) for n in range(1000)))
    api.good_for = 3
    harvest = ground.harvest()
    assert ids(harvest) == known(api)
    assert api.tokens == 3


def test_a_token_is_renewed_before_it_expires(ground: Ground) -> None:
    api = ground.hold(*(offer(n) for n in range(3000)))
    api.expires_in = 4
    ground.harvest()
    assert api.tokens > 1
    assert all(asked.headers.get("authorization") for asked in ground.server.asked if "/search" in asked.path)


@pytest.mark.parametrize("life", [None, "inf", -5, "bientôt", {}, float("nan")], ids=str)
def test_a_strange_life_of_a_token_does_not_stop_the_harvest(ground: Ground, life: object) -> None:
    api = ground.hold(offer(1))
    api.expires_in = life
    if life in (None, "bientôt", {}):
        with pytest.raises(FetchError, match="access_token"):
            ground.harvest()
    else:
        assert ids(ground.harvest()) == known(api)


def test_an_empty_403_names_the_second_scope(ground: Ground) -> None:
    ground.hold(offer(1)).faults.append(lambda params: Reply(403))
    with pytest.raises(AccessError, match=r"'api_offresdemploiv2' and 'o2dsoffre'"):
        ground.harvest()


def test_a_fresh_token_that_is_refused_stops_at_once(ground: Ground) -> None:
    api = ground.hold(offer(1))
    api.faults.append(lambda params: Reply(401))
    with pytest.raises(AccessError, match="401"):
        ground.harvest("22", "35")
    assert (api.tokens, len(api.pages_asked())) == (2, 2)


def test_a_refused_key_says_so_without_showing_it(
    ground: Ground, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = ground.settings = settings.model_copy(update={"francetravail_client_secret": SecretStr("mauvais-secret")})
    with caplog.at_level(logging.DEBUG), pytest.raises(AccessError) as caught:
        ground.harvest()
    message = str(caught.value)
    assert "invalid_client" in message
    assert "'api_offresdemploiv2 o2dsoffre'" in message
    assert "DQ_FRANCETRAVAIL_CLIENT_SECRET" in message
    shown = message + repr(caught.value.__context__) + caplog.text + repr(wrong)
    assert "mauvais-secret" not in shown
    assert CLIENT_ID not in shown


def test_without_a_key_nothing_is_asked(ground: Ground, tmp_path: Path) -> None:
    ground.settings = Settings(home=tmp_path, sources="live")
    with pytest.raises(AccessError, match="DQ_FRANCETRAVAIL_CLIENT_ID"):
        ground.harvest()
    assert ground.server.asked == []


def test_no_secret_is_logged_or_kept(ground: Ground, caplog: pytest.LogCaptureFixture) -> None:
    api = ground.hold(*(offer(n) for n in range(200)))
    echo = json.dumps({"message": f"jeton-0001 {CLIENT_SECRET} {CLIENT_ID}"}).encode()
    api.faults += [
        once(page_of(150, Reply(500, echo))),
        lambda params: Reply(404, echo) if params["departement"] == "22" else None,
    ]
    with caplog.at_level(logging.DEBUG):
        harvest = ground.harvest("22", "35")
    shown = caplog.text + "".join(map(repr, caplog.records)) + repr(harvest) + harvest.content().decode()
    shown += "".join(harvest.interrupted.values()) + "".join(asked.path for asked in ground.server.asked)
    assert "***" in harvest.interrupted["22"]
    for secret in (CLIENT_SECRET, CLIENT_ID, "jeton-0001"):
        assert secret not in shown


# --- what is kept --------------------------------------------------------------------------------------------------


def test_personal_data_are_dropped_at_the_door(ground: Ground) -> None:
    title = "Vendeur, écrire à untel@exemple.invalid ou 06.12.34.56.78 (H/F) réf 0123456789012"
    ground.hold(offer(1, intitule=title, champNouveau="x", entreprise={"nom": "E", "siret": "1", "url": "u"}))
    harvest = ground.harvest()
    text = harvest.content().decode()
    for trace in ("Untel", "untel@", "06.12", "06 12", "02 99", "agence", "contact", "description", "champNouveau"):
        assert trace not in text
    (found,) = harvest.offers
    assert found["intitule"] == "Vendeur, écrire à [retiré] ou [retiré] (H/F) réf 0123456789012"
    assert found["entreprise"] == {"nom": "E", "siret": "1"}
    assert found.keys() <= KEPT.keys()


def test_a_field_of_another_shape_is_dropped() -> None:
    strange = {"id": "1", "romeCode": {"contact": "x"}, "lieuTravail": "Rennes", "entreprise": {"nom": ["x"]}}
    assert kept(strange) == {"id": "1", "entreprise": {}}


def test_an_unchanged_day_gives_the_same_bytes(ground: Ground) -> None:
    api = ground.hold(*(offer(n) for n in range(400)))
    first = ground.harvest().content()
    api.offers.reverse()
    assert ground.harvest().content() == first
    assert [found["id"] for found in json.loads(first)["resultats"]] == known(api)


@pytest.mark.parametrize(
    ("place", "departement"),
    [
        ({"commune": "35238", "libelle": "35 - RENNES"}, "35"),
        ({"commune": "2A004"}, "2A"),
        ({"commune": "97411"}, "974"),
        ({"libelle": "26 - Drôme"}, "26"),
        ({"libelle": "974 - Saint-Denis"}, "974"),
        ({"libelle": "Auvergne-Rhône-Alpes"}, None),
        ({"libelle": "Suisse (Frontalier)"}, None),
        (None, None),
    ],
)
def test_departement_of_an_offer(place: dict[str, str] | None, departement: str | None) -> None:
    assert departement_of({"id": "1", "lieuTravail": place}) == departement


@pytest.mark.real_data
def test_recorded_offers_come_back_from_a_replay(ground: Ground, real_data: Path) -> None:
    content = (real_data / "jobs" / "api_offres_france_travail.sans_contact.json").read_bytes()
    recorded = json.loads(content)["resultats"]
    api = ground.hold()
    page = Reply(206, content, {"Content-Range": f"offres 0-149/{len(recorded)}"})
    api.faults.append(lambda params: page if params["origineOffre"] == "1" else None)
    harvest = ground.harvest()
    assert ids(harvest) == sorted(found["id"] for found in recorded)
    assert (harvest.counts["offres"], harvest.counts["sans_coordonnees"], harvest.whole) == (150, 4, ("35",))
    assert harvest.content() == canonical(kept(found) for found in recorded)
    text = harvest.content().decode()
    assert "@" not in text
    assert '"description"' not in text


@pytest.mark.real_data
def test_contacts_of_the_recorded_offer_are_dropped(real_data: Path) -> None:
    recorded = json.loads((real_data / "jobs" / "exemple_job_FT.json").read_text(encoding="utf-8"))
    text = json.dumps(kept(recorded), ensure_ascii=False)
    assert recorded["contact"]["nom"] not in text
    assert kept(recorded)["lieuTravail"]["commune"] == "01138"


@pytest.mark.real_data
def test_fields_kept_are_fields_of_the_contract(real_data: Path) -> None:
    contract = json.loads((real_data / "jobs" / "offre_emploi.json").read_text(encoding="utf-8"))
    schemas = contract["components"]["schemas"]
    assert KEPT.keys() <= schemas["Offre"]["properties"].keys()
    places = {"lieuTravail": "LieuTravail", "entreprise": "Entreprise", "origineOffre": "OrigineOffre"}
    for name, schema in places.items():
        assert set(KEPT[name] or ()) - {"siret"} <= schemas[schema]["properties"].keys()

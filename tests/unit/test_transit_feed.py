"""Feeds as they come, good and bad."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest

from dagster_project.routing.transit.feed import FeedRefused, read_feed
from dagster_project.routing.transit.stop_times import ABSENT, MALFORMED, clock_seconds
from tests.transit_files import TABLES, changed, loose, zipped

STOP_TIMES = TABLES["stop_times.txt"]
HEADER = "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"


def read(folder, tables, **options):
    return read_feed(loose(folder, tables), "essai", **options)


def calls(feed, trip):
    number = feed.trip_ids.tolist().index(trip)
    rows = slice(feed.stop_times.first[number], feed.stop_times.first[number + 1])
    stops = feed.stop_ids[feed.stop_times.stop[rows]].tolist()
    return list(
        zip(stops, feed.stop_times.arrival[rows].tolist(), feed.stop_times.departure[rows].tolist(), strict=True)
    )


def with_row(old, new):
    assert old in STOP_TIMES
    return changed(stop_times=STOP_TIMES.replace(old, new))


def test_good_feed_has_no_problem(tmp_path):
    feed = read(tmp_path, TABLES)
    assert feed.report.problems == []
    assert (feed.report.stops, feed.report.trips, feed.report.stop_times) == (6, 6, 14)
    assert calls(feed, "1a") == [("A", 25200, 25200), ("B", 25800, 25860), ("C", 26400, 26400)]
    assert feed.trip_route_type.tolist() == [3, 3, 3, 3, 0, 0]
    assert feed.stop_names.tolist()[1] == "Bréquigny"


@pytest.mark.parametrize("under", ["", "export/GTFS/"])
def test_zip_is_read_wherever_its_tables_lie(tmp_path, under):
    feed = read_feed(zipped(tmp_path / "reseau.zip", {**TABLES, "lisez-moi.pdf": b"%PDF"}, under))
    assert feed.name == "reseau"
    assert feed.report.trips == 6


def test_bom_crlf_blanks_quotes_and_columns_in_any_order_change_nothing(tmp_path):
    rows = [line.split(",") for line in STOP_TIMES.splitlines()]
    turned = "".join(",".join(f'"{cell} "' for cell in [*row[::-1], ""]) + "\r\n" for row in rows)
    turned = turned.replace('" "\r\n', '"vide"\r\n', 1)
    tables = {name: b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode() for name, text in TABLES.items()}
    tables["stop_times.txt"] = b"\xef\xbb\xbf" + turned.encode()
    feed = read(tmp_path, tables)
    assert feed.report.problems == []
    assert calls(feed, "1a") == [("A", 25200, 25200), ("B", 25800, 25860), ("C", 26400, 26400)]


@pytest.mark.parametrize("name", ["stops", "routes", "trips", "stop_times", "calendar"])
def test_missing_file_refuses_the_feed(tmp_path, name):
    with pytest.raises(FeedRefused, match=rf"essai : il manque .*{name}\.txt"):
        read(tmp_path, changed(**{name: None}))


@pytest.mark.parametrize("name", ["stops", "routes", "trips", "stop_times"])
def test_file_without_rows_refuses_the_feed(tmp_path, name):
    with pytest.raises(FeedRefused, match=rf"{name}\.txt n’a aucune ligne"):
        read(tmp_path, changed(**{name: TABLES[f"{name}.txt"].split("\n", 1)[0] + "\n"}))


def test_empty_file_refuses_the_feed(tmp_path):
    with pytest.raises(FeedRefused, match=r"stop_times\.txt n’a pas d’en-tête"):
        read(tmp_path, changed(stop_times=""))


def test_missing_column_refuses_the_feed(tmp_path):
    with pytest.raises(FeedRefused, match=r"il manque la colonne stop_sequence dans stop_times\.txt"):
        read(tmp_path, changed(stop_times=STOP_TIMES.replace("stop_sequence", "rang")))


def test_column_named_twice_refuses_the_feed(tmp_path):
    with pytest.raises(FeedRefused, match=r"la colonne route_id figure deux fois dans trips\.txt"):
        read(tmp_path, changed(trips="route_id,route_id,service_id,trip_id\n1,1,S,1a\n"))


def test_other_encodings_refuse_the_feed(tmp_path):
    with pytest.raises(FeedRefused, match=r"stops\.txt n’est pas un tableau CSV en UTF-8"):
        read(tmp_path, {**TABLES, "stops.txt": TABLES["stops.txt"].encode("latin-1")})


@pytest.mark.parametrize("table", ["calendar", "calendar_dates"])
def test_empty_calendars_refuse_the_feed(tmp_path, table):
    header = {"calendar": TABLES["calendar.txt"].split("\n")[0], "calendar_dates": "service_id,date,exception_type"}
    with pytest.raises(FeedRefused, match="ne font circuler aucun service"):
        read(tmp_path, changed(**{"calendar": None, table: header[table] + "\n"}))


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("1a,07:20:00,07:20:00", "1a,07:05:00,07:05:00", "heures_decroissantes"),
        ("1a,07:10:00,07:11:00", "1a,07:10:00,07:09:00", "heures_decroissantes"),
        ("1a,07:10:00,07:11:00", "1a,-07:10:00,07:11:00", "heure_malformee"),
        ("1a,07:10:00,07:11:00", "1a,7h10,7h11", "heure_malformee"),
        ("1a,07:10:00,07:11:00", "1a,07:61:00,07:61:00", "heure_malformee"),
        ("1a,07:10:00,07:11:00,B,2", "1a,07:10:00,07:11:00,B,deux", "rang_malforme"),
        ("1a,07:10:00,07:11:00,B,2", "1a,07:10:00,07:11:00,B,-2", "rang_malforme"),
        ("1a,07:10:00,07:11:00,B,2", "1a,07:10:00,07:11:00,B,3", "rang_double"),
        ("1a,07:10:00,07:11:00,B", "1a,07:10:00,07:11:00,Z", "arret_inconnu"),
        ("1a,07:00:00,07:00:00", "1a,,", "extremite_sans_heure"),
        ("1a,07:20:00,07:20:00", "1a,,", "extremite_sans_heure"),
    ],
)
def test_trip_that_cannot_be_trusted_is_set_aside(tmp_path, old, new, code):
    feed = read(tmp_path, with_row(old, new))
    (problem,) = feed.report.problems
    assert (problem.code, problem.count, problem.file, problem.example) == (code, 1, "stop_times.txt", "1a")
    line = TABLES["stop_times.txt"].replace(old, new).splitlines()[problem.row - 1]
    assert line.startswith("1a")
    assert problem.message.endswith("mises de côté")
    assert feed.trip_ids.tolist() == ["1b", "2a", "2b", "Ta", "Tb"]
    assert calls(feed, "2a") == [("B", 25800, 25800), ("D", 26700, 26700)]
    assert feed.report.trips_set_aside == 1


def test_rows_in_disorder_are_sorted_by_sequence(tmp_path):
    header, *rows = STOP_TIMES.splitlines()
    feed = read(tmp_path, changed(stop_times="\n".join([header, *rows[::-1]]) + "\n"))
    assert [problem.code for problem in feed.report.problems] == ["horaires_non_tries"]
    assert feed.report.count("horaires_non_tries") == 6
    assert calls(feed, "1a") == [("A", 25200, 25200), ("B", 25800, 25860), ("C", 26400, 26400)]


def test_sequences_may_have_gaps_and_more_than_one_digit(tmp_path):
    feed = read(tmp_path, with_row("C,3\n1b", "C,110\n1b"))
    assert feed.report.problems == []
    assert [stop for stop, _, _ in calls(feed, "1a")] == ["A", "B", "C"]


def test_rows_of_an_unknown_trip_are_left_out(tmp_path):
    feed = read(tmp_path, changed(stop_times=STOP_TIMES + "9z,08:00:00,08:00:00,A,1\n9z,08:01:00,08:01:00,B,2\n"))
    (problem,) = feed.report.problems
    assert (problem.code, problem.count, problem.row, problem.example) == ("course_inconnue", 2, 16, "9z")
    assert feed.report.trips == 6


def test_trip_of_an_unknown_service_never_runs(tmp_path):
    feed = read(tmp_path, changed(trips=TABLES["trips.txt"].replace("1,S,1a", "1,X,1a")))
    assert feed.report.count("service_inconnu") == 1
    assert "1a" not in feed.trip_ids


def test_trip_of_an_unknown_route_is_kept(tmp_path):
    feed = read(tmp_path, changed(trips=TABLES["trips.txt"].replace("1,S,1a", "9,S,1a")))
    assert feed.report.count("ligne_inconnue") == 1
    assert feed.trip_route_type[feed.trip_ids == "1a"].tolist() == [-1]


def test_identifier_seen_twice_keeps_its_first_row(tmp_path):
    feed = read(tmp_path, changed(stops=TABLES["stops.txt"] + "A,Autre,0,0\n"))
    assert feed.report.count("identifiant_double") == 1
    assert feed.stop_names[feed.stop_ids == "A"].tolist() == ["Alma"]


def test_trip_of_one_stop_is_set_aside(tmp_path):
    feed = read(tmp_path, with_row("2a,07:25:00,07:25:00,D,2\n", ""))
    assert feed.report.count("arret_unique") == 1
    assert "2a" not in feed.trip_ids


def test_missing_times_are_interpolated_by_position(tmp_path):
    rows = "1a,07:00:00,07:00:00,A,1\n1a,,,B,2\n1a,,,D,7\n1a,07:20:01,07:22:00,E,8\n1a,,,F,9\n1a,07:30:00,,C,10\n"
    feed = read(tmp_path, changed(stop_times=HEADER + rows), max_missing_share=1)
    assert feed.report.count("heure_interpolee") == 3
    assert [(a, d) for _, a, d in calls(feed, "1a")] == [
        (25200, 25200), (25600, 25600), (26000, 26000), (26401, 26520), (26760, 26760), (27000, 27000),
    ]  # fmt: skip


def test_night_trains_of_two_days_are_kept(tmp_path):
    feed = read(tmp_path, with_row("1a,07:20:00,07:20:00", "1a,41:18:00,41:18:00"))
    assert feed.report.problems == []
    assert calls(feed, "1a")[-1] == ("C", 148_680, 148_680)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("07:05:09", 25509), ("7:05:09", 25509), ("25:15:00", 90900), ("", ABSENT), ("168:00:00", MALFORMED),
     ("-01:00:00", MALFORMED), ("07:05", MALFORMED), ("07:60:00", MALFORMED), ("07:05:60", MALFORMED)],
)  # fmt: skip
def test_clock(text, seconds):
    assert clock_seconds(text) == seconds


def test_a_few_trips_without_times_are_counted(tmp_path):
    feed = read(tmp_path, changed(trips=TABLES["trips.txt"] + "T,S,Tc\n"), max_missing_share=0.2)
    assert feed.report.count("course_sans_horaire") == 1
    assert "Tc" not in feed.trip_ids


def test_many_trips_without_times_refuse_the_feed(tmp_path):
    empty = "".join(f"T,S,x{number}\n" for number in range(2000))
    with pytest.raises(FeedRefused, match="horaires tronqués : 2\u202f000 courses sur 2\u202f006 sans horaire"):
        read(tmp_path, changed(trips=TABLES["trips.txt"] + empty))


def test_feed_without_a_usable_trip_is_refused(tmp_path):
    with pytest.raises(FeedRefused, match="aucune course utilisable"):
        read(tmp_path, changed(stop_times=STOP_TIMES.replace(":", "h")))


def test_rows_with_too_many_or_too_few_cells_are_left_out_and_later_rows_keep_their_number(tmp_path):
    wrong = "1a,07:00:00,07:00:00,A,1,plus,que,prévu\n2b\n"
    text = STOP_TIMES.replace(HEADER, HEADER + wrong).replace("1a,07:20:00,07:20:00", "1a,07:05:00,07:05:00")
    feed = read(tmp_path, changed(stop_times=text))
    malformed, back = feed.report.problems
    assert (malformed.code, malformed.count, malformed.row) == ("ligne_malformee", 2, 2)
    assert malformed.example == "8 cellules au lieu de 5"
    assert (back.code, back.row) == ("heures_decroissantes", 6)


def test_text_may_hold_quotes_commas_and_line_ends(tmp_path):
    feed = read(tmp_path, changed(stops=TABLES["stops.txt"].replace("Alma", '"Alma, quai ""1""\nsud"')))
    assert feed.stop_names.tolist()[0] == 'Alma, quai "1"\nsud'
    assert feed.report.stops == 6


def test_places_without_coordinates_are_counted(tmp_path):
    stops = TABLES["stops.txt"].replace("48.10,-1.70", ",").replace("48.12,-1.64", "0,0")
    feed = read(tmp_path, changed(stops=stops))
    assert feed.report.count("arret_sans_coordonnees") == 2
    assert np.isnan(feed.stop_lon).tolist() == [True, False, False, False, False, True]


def test_stations_are_left_out_unless_vehicles_stop_there(tmp_path):
    header, *rows = TABLES["stops.txt"].splitlines()
    stops = "\n".join(
        [f"{header},location_type", f"{rows[0]},1", *(f"{row}," for row in rows[1:]), "G,Gare,48.1,-1.7,1"]
    )
    feed = read(tmp_path, changed(stops=stops))
    assert feed.stop_ids.tolist() == ["A", "B", "C", "D", "E", "F"]


def test_hostile_zip_is_refused(tmp_path):
    with pytest.raises(FeedRefused, match="sort du dossier d'extraction"):
        read_feed(zipped(tmp_path / "mechant.zip", {**TABLES, "../../stops.txt": "x"}))


def test_bomb_is_refused(tmp_path):
    bomb = changed(stop_times="0" * (30 << 20))
    with pytest.raises(FeedRefused, match=r"stop_times\.txt' est comprimé"):
        read_feed(zipped(tmp_path / "bombe.zip", bomb))


def test_damaged_zip_is_refused(tmp_path):
    path = zipped(tmp_path / "abime.zip", TABLES)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(FeedRefused, match=r"abime\.zip ne peut être lue"):
        read_feed(path)


def test_two_networks_in_one_zip_are_refused(tmp_path):
    path = zipped(tmp_path / "deux.zip", TABLES, "a/")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("b/stops.txt", TABLES["stops.txt"])
    with pytest.raises(FeedRefused, match=r"plusieurs fichiers stops\.txt"):
        read_feed(path)


def test_forbidden_boarding_and_alighting_are_read(tmp_path):
    text = STOP_TIMES.replace("stop_sequence", "stop_sequence,pickup_type,drop_off_type", 1)
    head, *rows = text.splitlines()
    feed = read(
        tmp_path,
        changed(stop_times="\n".join([head, f"{rows[0]},0,1", f"{rows[1]},1,", *(f"{r},3,0" for r in rows[2:])])),
    )
    assert feed.stop_times.boarding.tolist()[:3] == [True, False, True]
    assert feed.stop_times.alighting.tolist()[:3] == [False, True, True]

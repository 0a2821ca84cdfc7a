"""Each validation catches what it is for, lets good files pass, and says in French what to do."""

from __future__ import annotations

import hashlib
import io
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dagster_project.settings import Settings
from dagster_project.sources import zip_layout
from dagster_project.sources.archive import ArchivedFile
from dagster_project.sources.catalogue import Dataset, load_catalogue
from dagster_project.sources.fetch import fetch_file, references
from dagster_project.sources.formats import text_chunks, undecodable, web_page_title
from dagster_project.sources.validation import VALIDATION_NAMES, Validation, validate_file
from tests.fetch_samples import CSV, first, received, sample_dataset, sample_file

Check = Callable[..., dict[str, Validation]]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Validate bytes written under a name; returns the results by validation name."""

    def run(
        content: bytes | dict[str, bytes],
        *,
        name: str = "TABLE_2021.csv",
        dataset: Dataset | None = None,
        previous: Any = None,
        **changes: Any,
    ) -> dict[str, Validation]:
        named = content if isinstance(content, dict) else {name: content}
        parts = []
        for file_name, data in named.items():
            path = tmp_path / file_name
            path.write_bytes(data)
            parts.append(received(path, **changes))
        results = validate_file(*first(dataset or sample_dataset()), tuple(parts), previous)
        assert [result.name for result in results] == list(VALIDATION_NAMES)
        return {result.name: result for result in results}

    return run


def failed(results: dict[str, Validation]) -> list[str]:
    return [name for name, result in results.items() if not result.passed]


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name) if name != Path(name).name else name, content, method)
    return buffer.getvalue()


def zip_dataset(**changes: Any) -> Dataset:
    live = {"url": "https://exemple.invalid/TABLE_2021.zip", "member": "TABLE*.csv"}
    return sample_dataset({"2021": (sample_file(live=live),)}, **changes)


def geographic(kind: str = "geojson") -> Dataset:
    return sample_dataset({"2021": (sample_file(crs="EPSG:4326"),)}, format=kind, encoding="cp1252", bytes=BOUNDS)


BOUNDS = {"minimum": 1, "maximum": 1_000_000}
WORKBOOK = {"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"}


def shapefile(text: bytes = b"Les Essarts fictifs ") -> dict[str, bytes]:
    """The bytes of an empty shapefile whose table has one record."""
    shp = struct.pack(">I20xI", 9994, 50) + struct.pack("<I", 1000) + bytes(68)
    header = struct.pack("<BBBBIHH20x", 3, 26, 1, 1, 1, 33, 1 + len(text)) + b"\r"
    return {
        "T.shp": shp,
        "T.shx": shp,
        "T.dbf": header + b" " + text + b"\x1a",
        "T.prj": b'PROJCS["RGF93",GEOGCS["RGF93"]]',
    }


def test_a_good_file_passes_everything(check: Check) -> None:
    results = check(CSV)
    assert failed(results) == []
    assert [name for name, result in results.items() if not result.required] == ["variation_taille"]


@pytest.mark.parametrize(
    ("content", "dataset"),
    [
        (b"\xef\xbb\xbf" + CSV.replace(b"\n", b"\r\n"), sample_dataset()),
        (CSV.decode().encode("cp1252"), sample_dataset(encoding="cp1252")),
        (b'\n [{"a": "\xc3\xa9"}]\n', sample_dataset(format="json")),
        (b'\xef\xbb\xbf{"type": "FeatureCollection", "features": []}', geographic()),
        (b"PAR1 ... PAR1", sample_dataset(format="parquet")),
        (zipped(WORKBOOK), sample_dataset(format="xlsx")),
        (zipped({"lisez-moi.txt": b"bonjour", "dossier/table_2021.CSV": CSV}), zip_dataset()),
        (zipped({"seule.csv": CSV}), sample_dataset()),
        (CSV, zip_dataset()),
    ],
    ids=["bom crlf", "cp1252", "json", "geojson", "parquet", "xlsx", "zip", "zip without glob", "unzipped by hand"],
)
def test_the_forms_producers_use_pass(check: Check, content: bytes, dataset: Dataset) -> None:
    assert failed(check(content, dataset=dataset)) == []


def test_a_shapefile_passes(check: Check) -> None:
    assert failed(check(shapefile("Clairvue inventée".encode("cp1252")), dataset=geographic("shapefile"))) == []


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b" \r\n\t\n"], ids=["empty", "bom", "blanks"])
def test_an_empty_file(check: Check, content: bytes) -> None:
    assert "fichier_vide" in failed(check(content))


@pytest.mark.parametrize(
    "content",
    [
        b"<!DOCTYPE html><html><head><title>Maintenance\n en cours</title></head></html>",
        b"\xef\xbb\xbf\r\n <!-- a --> <html lang='fr'><title>Maintenance en cours</title>",
        b'<?xml version="1.0"?><!DOCTYPE  HTML PUBLIC "-//W3C//DTD XHTML"><title>Maintenance en cours</title>',
    ],
)
def test_a_web_page_instead_of_data(check: Check, content: bytes) -> None:
    result = check(content)["page_html"]
    assert not result.passed
    assert result.required
    assert "« Maintenance en cours »" in result.message
    assert "boîte de dépôt" in result.message


def test_hostile_comments_do_not_hold_the_check() -> None:
    assert web_page_title(b"<!-- a -->" * 3000 + b"x") is None


@pytest.mark.parametrize(
    ("content", "dataset", "expected"),
    [
        (b"%PDF-1.7 ...", sample_dataset(), "c'est un PDF"),
        (b"\x1f\x8b\x08 ...", sample_dataset(), "c'est un fichier gzip"),
        (b"\xd0\xcf\x11\xe0 ...", sample_dataset(format="xlsx"), "protégé par mot de passe"),
        (CSV, sample_dataset(format="xlsx"), "n'est pas un fichier xlsx : il commence par les octets 43 4f"),
        (zipped({"a.txt": b"1"}), sample_dataset(format="xlsx"), "pas un classeur Excel"),
        (CSV.decode().encode("utf-16"), sample_dataset(), "est en UTF-16"),
        (b"\x01" + bytes(40), sample_dataset(), "n'est pas un fichier csv"),
        (b'{"type": "FeatureCollection", "features": [{"a', geographic(), "tronqué"),
        (b'[{"a": 1}]', geographic(), "commence par '['"),
        (b'"texte"', sample_dataset(format="json"), "n'est pas un fichier json"),
        (b"PAR1 tronque", sample_dataset(format="parquet"), "Parquet tronqué"),
        (b"PK\x05\x06" + bytes(18), sample_dataset(format="xlsx"), "n'est pas un fichier xlsx"),
        (zipped({"TABLE.csv": b"%PDF-1.7"}), zip_dataset(), "'TABLE.csv' n'est pas un fichier csv : c'est un PDF"),
    ],
)
def test_wrong_magic_bytes(check: Check, content: bytes, dataset: Dataset, expected: str) -> None:
    result = check(content, dataset=dataset)["signature"]
    assert not result.passed
    assert expected in result.message


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"T.shp": b"x" * 200}, "n'est pas un .shp"),
        ({"T.shp": shapefile()["T.shp"][:-1] + b"xx"}, "annonce 100 octets mais en compte 101"),
        ({"T.dbf": b"\x99" * 60}, "n'est pas un .dbf"),
        ({"T.dbf": shapefile()["T.dbf"][:-9]}, "tronqué"),
        ({"T.prj": b"<html>"}, "système de coordonnées"),
        ({"T.dbf": None}, "il manque au shapefile : .dbf"),
    ],
)
def test_a_damaged_shapefile(check: Check, change: dict[str, bytes | None], expected: str) -> None:
    parts = {name: content for name, content in {**shapefile(), **change}.items() if content is not None}
    result = check(parts, dataset=geographic("shapefile"))["signature"]
    assert not result.passed
    assert expected in result.message


def _patched(content: bytes, old: bytes, new: bytes) -> bytes:
    assert old in content
    return content.replace(old, new, 1)


def _duplicated() -> bytes:
    content = zipped({"TABLE_a.csv": CSV, "TABLE_b.csv": CSV})
    return content.replace(b"TABLE_b.csv", b"TABLE_a.csv")


def _encrypted() -> bytes:
    content = bytearray(zipped({"TABLE.csv": CSV}))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (zipped({"TABLE.csv": CSV * 50})[:-40], "tronquée ou abîmée pendant le transfert"),
        (_patched(zipped({"TABLE.csv": CSV}, zipfile.ZIP_STORED), b"fictifs", b"FICTIFS"), "CRC-32"),
        (zipped({"TABLE.csv": CSV})[:45] + b"\xff\xff\xff" + zipped({"TABLE.csv": CSV})[48:], "abîmé"),
        (_encrypted(), "est chiffré"),
        (_duplicated(), "'TABLE_a.csv' y figure deux fois"),
        (zipped({"TABLE_a.csv": CSV, "TABLE_b.csv": CSV}), "plusieurs membres répondent à 'TABLE*.csv'"),
        (zipped({"autre.csv": CSV}), "aucun membre ne répond à 'TABLE*.csv' ; elle contient 'autre.csv'"),
        (b"PK\x05\x06" + bytes(18), "aucun membre"),
    ],
    ids=["truncated", "crc", "garbage", "encrypted", "duplicate", "two tables", "no table", "no member"],
)
def test_zip_layout(check: Check, content: bytes, expected: str) -> None:
    results = check(content, dataset=zip_dataset(), origin="live")
    assert failed(results) == ["archive_zip"]
    assert expected in results["archive_zip"].message


def test_a_false_checksum_says_that_unzip_may_read_it(check: Check) -> None:
    content = _patched(zipped({"TABLE.csv": CSV}, zipfile.ZIP_STORED), b"fictifs", b"FICTIFS")
    result = check(content, dataset=zip_dataset())["archive_zip"]
    assert result.required
    assert "unzip" in result.message
    assert "boîte de dépôt" in result.message


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("/etc/passwd", "chemin absolu"),
        ("C:/x.csv", "chemin absolu"),
        ("a/../../x.csv", "sort du dossier"),
        ("..\\x.csv", "sort du dossier"),
        ("a\\x.csv", "barre oblique inverse"),
        ("a\x1b[31m.csv", "caractère de contrôle"),
        ("a" * 300, "trop long"),
    ],
)
def test_unsafe_member_names(check: Check, name: str, expected: str) -> None:
    results = check(zipped({"TABLE.csv": CSV, name: b"x"}), dataset=zip_dataset())
    assert failed(results) == ["noms_membres"]
    assert expected in results["noms_membres"].message


def test_a_symbolic_link_in_a_zip(check: Check) -> None:
    link = zipfile.ZipInfo("lien")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    buffer = io.BytesIO(zipped({"TABLE.csv": CSV}))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    assert failed(check(buffer.getvalue(), dataset=zip_dataset())) == ["noms_membres"]


def _overlapping() -> bytes:
    """Two directory entries for the same bytes: the sizes add up to more than the file."""
    content = zipped({"TABLE.csv": bytes(range(256)) * 40, "x.bin": b""}, zipfile.ZIP_STORED)
    at = content.index(b"PK\x01\x02")
    second = content.index(b"PK\x01\x02", at + 1)
    return content[: second + 20] + content[at + 20 : at + 28] + content[second + 28 :]


@pytest.mark.parametrize(
    ("content", "limits", "expected"),
    [
        (zipped({"TABLE.csv": bytes(12 << 20)}), {}, "comprimé 1"),
        (zipped({"TABLE.csv": CSV * 10}), {"MAX_TOTAL": 100}, "octets une fois extraite, au plus 100"),
        (zipped({f"{n}": b"" for n in range(9)}), {"MAX_MEMBERS": 8}, "9 membres annoncés, au plus 8"),
        (_overlapping(), {}, "se recouvrent"),
    ],
    ids=["ratio", "total", "members", "overlap"],
)
def test_bombs_are_not_extracted(
    check: Check, monkeypatch: pytest.MonkeyPatch, content: bytes, limits: dict[str, int], expected: str
) -> None:
    for name, value in limits.items():
        monkeypatch.setattr(zip_layout, name, value)
    monkeypatch.setattr(zip_layout, "_read_through", lambda *_: pytest.fail("a bomb was extracted"))
    results = check(content, dataset=zip_dataset())
    assert failed(results) == ["bombe"]
    assert expected in results["bombe"].message


def test_a_member_count_that_lies_is_caught_by_the_size_of_the_directory(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytearray(zipped({f"{'n' * 200}{n}": b"" for n in range(400)}))
    end = content.rindex(b"PK\x05\x06")
    content[end + 8 : end + 12] = struct.pack("<HH", 1, 1)
    monkeypatch.setattr(zip_layout, "MAX_MEMBERS", 100)
    assert failed(check(bytes(content), dataset=zip_dataset())) == ["bombe"]


@pytest.mark.parametrize(("size", "passed"), [(9, False), (10, True), (20, True), (21, False)])
def test_size_bounds(check: Check, size: int, passed: bool) -> None:
    dataset = sample_dataset(bytes={"minimum": 10, "maximum": 20})
    result = check(b"a" * size, dataset=dataset)["taille"]
    assert result.passed is passed
    assert result.details == {"octets": size, "minimum": 10, "maximum": 20}
    assert check(b"a" * size, dataset=dataset, origin="demo")["taille"].passed


def test_the_size_of_a_zipped_table_is_that_of_the_table(check: Check) -> None:
    result = check(zipped({"TABLE.csv": CSV, "gros.bin": bytes(5000)}), dataset=zip_dataset())["taille"]
    assert result.details["octets"] == len(CSV)


@pytest.mark.parametrize(("earlier", "passed"), [(100, True), (80, True), (79, False), (133, True), (134, False)])
def test_size_change_warns_beyond_a_quarter(tmp_path: Path, check: Check, earlier: int, passed: bool) -> None:
    (tmp_path / "before").write_bytes(bytes(earlier))
    for key, detail in (("insee_exemple/2021/TABLE_2021", "reception"), ("insee_exemple/2020/T", "millesime")):
        previous = received(tmp_path / "before", key=key)
        result = check(b"a" * 100, previous=previous)["variation_taille"]
        assert (result.passed, result.required) == (passed, False)
        assert result.details[f"ecart_{detail}_pourcent"] == round(100 * (100 - earlier) / earlier, 1)


def test_size_is_compared_with_both_references(tmp_path: Path, check: Check) -> None:
    (tmp_path / "near").write_bytes(bytes(100))
    (tmp_path / "far").write_bytes(bytes(50))
    previous = (received(tmp_path / "near"), received(tmp_path / "far", key="insee_exemple/2020/T"))
    result = check(b"a" * 100, previous=previous)["variation_taille"]
    assert not result.passed
    assert "+0 % par rapport à la réception précédente" in result.message
    assert "+100 % par rapport à insee_exemple/2020/T" in result.message


def test_an_empty_reference_does_not_divide_by_zero(tmp_path: Path, check: Check) -> None:
    (tmp_path / "before").write_bytes(b"")
    assert not check(b"a" * 100, previous=received(tmp_path / "before"))["variation_taille"].passed


def test_cp1252_declared_utf8_names_offset_and_line(check: Check) -> None:
    content = CSV.decode().encode("cp1252")
    result = check(content)["texte_decodable"]
    assert not result.passed
    assert result.details == {"octet": content.index(b"\xe9"), "ligne": 3}
    assert "octet 0xE9" in result.message
    assert "« é » en cp1252" in result.message


@pytest.mark.parametrize("before", [0, 1, 2, 3])
@pytest.mark.parametrize("block", [1, 2, 3, 7, 1000])
def test_offsets_hold_wherever_blocks_end(block: int, before: int) -> None:
    content = b"a" * before + "é\n€;\n".encode() + b"b\xe9;\n"
    chunks = [content[at : at + block] for at in range(0, len(content), block)]
    problem = undecodable(chunks, "utf-8")
    assert problem is not None
    assert (problem.offset, problem.line) == (content.index(b"\xe9;"), 3)


def test_text_cut_within_a_character_is_undecodable() -> None:
    problem = undecodable([b"abc\n\xc3"], "utf-8")
    assert problem is not None
    assert (problem.offset, problem.line) == (4, 2)


def test_a_nul_byte_is_reported(check: Check) -> None:
    result = check(CSV + b"QP096003;\0;3\n")["texte_decodable"]
    assert result.details == {"octet": len(CSV) + 9, "ligne": 4}


def test_utf8_declared_cp1252_is_caught(check: Check) -> None:
    assert "est en UTF-8" in check(CSV, dataset=sample_dataset(encoding="cp1252"))["texte_decodable"].message


def test_utf16_decodes_when_declared() -> None:
    content = "é;€\n".encode("utf-16")
    assert undecodable([content[:3], content[3:]], "utf-16") is None
    assert undecodable([content[:-1]], "utf-16") is not None


def test_undecodable_text_in_a_zip_and_in_a_dbf(check: Check, tmp_path: Path) -> None:
    results = check(zipped({"TABLE.csv": b"a;b\n\xe9"}), dataset=zip_dataset())
    assert results["texte_decodable"].details == {"octet": 4, "ligne": 2}
    parts = shapefile(b"ok\x81")
    results = check(parts, dataset=geographic("shapefile"))
    assert results["texte_decodable"].details == {"octet": parts["T.dbf"].index(b"\x81"), "ligne": 1}
    (tmp_path / "short.dbf").write_bytes(b"x")
    assert list(text_chunks(tmp_path / "short.dbf", "shapefile")) == []


def test_checksum_of_a_mirror_copy(check: Check) -> None:
    good = hashlib.sha256(CSV).hexdigest()
    for expected, origin, passed in ((good, "mirror", True), ("0" * 64, "mirror", False), ("0" * 64, "live", True)):
        dataset = sample_dataset({"2021": (sample_file(sha256=expected),)})
        assert check(CSV, dataset=dataset, origin=origin)["empreinte"].passed is passed


def test_messages_name_the_dataset_the_vintage_and_the_file(check: Check) -> None:
    assert check(b"")["fichier_vide"].message.startswith("insee_exemple 2021, TABLE_2021.csv : ")


@pytest.mark.real_data
def test_real_files_pass_every_required_validation(real_data: Path, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, sources="mirror", mirror=str(real_data))
    problems: list[str] = []
    seen: list[tuple[ArchivedFile, ...]] = []
    for dataset in load_catalogue().values():
        for vintage in dataset.vintages:
            for file in vintage.files:
                if file.mirror is None or dataset.when_absent != "stop":
                    continue
                parts = fetch_file(dataset, vintage, file, settings)
                seen.append(parts)
                previous = references(dataset, vintage, file, parts, settings)
                results = validate_file(dataset, vintage, file, parts, previous)
                problems += [result.message for result in results if result.required and not result.passed]
    assert problems == []
    assert seen

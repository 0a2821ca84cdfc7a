"""Promotion of a checked build to a release.

    derived/building/ ─▶ releases/<id>.partial/ ─▶ releases/<id>/ ─▶ releases/current ─▶ warehouse.duckdb

Every step is a rename on one file system; a crash between any two leaves `current` on a whole release. The
warehouse follows last: it is disposable, and every run builds it anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dagster_project.provenance.build import Build
from dagster_project.settings import Settings

MARTS = (
    "dim_zone",
    "indicator_value",
    "mart_comparaison",
    "mart_couverture",
    "mart_emploi",
    "mart_population",
    "mart_revenus",
)
# Released as Parquet alone: a CSV of them would weigh more than everything else together.
LINEAGE = {"figure_input": "lineage", "zone_input": "zone_input"}
DERIVED = ("source_file", "corrections")
REFERENCE = ("indicator", "indicator_term", "known_break", "edition_reference", "note_status", "variable_column")
FLAT_ZONE = "* exclude (geometry) replace (array_to_string(communes, ' ') as communes)"
FICTITIOUS = (
    "DONNÉES FICTIVES. Ce territoire, ses noms, ses codes et ses chiffres sont inventés pour la démonstration.\n"
)


class ReleaseError(RuntimeError):
    """A release cannot be written or is damaged; the message says what and what to do."""


@dataclass(frozen=True)
class Release:
    """A published release: its name under `releases/`, its folder, and the digest of what made it."""

    release_id: str
    path: Path
    build_id: str


def building_path(settings: Settings) -> Path:
    """Where dbt builds, beside the warehouse that readers use.

    The file bears the warehouse's name: DuckDB names a database after its file, and views keep that name.
    """
    return settings.derived_dir / "building" / settings.warehouse.name


def current_release(settings: Settings) -> Release | None:
    """The promoted release, or None when there is none yet."""
    link = settings.releases_dir / "current"
    if not link.is_symlink() or not (link / "build.json").exists():
        return None
    folder = link.resolve()
    build = json.loads((folder / "build.json").read_text(encoding="utf-8"))
    return Release(folder.name, folder, build["build_id"])


def promote(settings: Settings, build: Build, attachments: dict[str, Path], now: datetime | None = None) -> Release:
    """Publish the checked build.

    Args:
        settings: where releases live.
        build: what the figures were made of.
        attachments: further files by their name in the release, such as the quality report.
        now: time of publication, UTC.

    Raises:
        ReleaseError: nothing was built, or the disk refuses the files; `current` is then as it was.
    """
    building = building_path(settings)
    if not building.exists():
        raise ReleaseError(f"{building} does not exist: run the dbt step before the release")
    stamp = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    release_id = f"{stamp}-{build.build_id[:12]}"
    folder = settings.releases_dir / release_id
    partial = settings.releases_dir / f".{release_id}.partial"
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        _export(building, partial)
        for name in DERIVED:
            shutil.copyfile(settings.derived_dir / f"{name}.parquet", partial / f"{name}.parquet")
        for name, source in attachments.items():
            shutil.copyfile(source, partial / name)
        (partial / "build.json").write_text(build.as_json(), encoding="utf-8")
        (partial / "LISEZMOI.txt").write_text(_readme(release_id, build), encoding="utf-8")
        _write_sums(partial)
        _sync_tree(partial)
        partial.rename(folder)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise ReleaseError(
            f"release {release_id} not written ({error}); the current release is unchanged. "
            f"Free space or mend the folder {settings.releases_dir}, then run again"
        ) from error
    _switch(settings.releases_dir, release_id)
    building.replace(settings.warehouse)
    return Release(release_id, folder, build.build_id)


def _export(building: Path, folder: Path) -> None:
    """Marts and reference tables as Parquet and CSV; the CSV of zones leaves contours out."""
    import duckdb

    with duckdb.connect(str(building), read_only=True) as connection:
        tables = [(f"marts.{name}", name) for name in MARTS] + [(f"reference.{name}", name) for name in REFERENCE]
        tables += [(f"marts.{table}", name) for table, name in LINEAGE.items()]
        for table, name in tables:
            ordered = f"(select * from {table} order by all)"
            connection.sql(f"copy {ordered} to '{folder / name}.parquet' (format parquet, compression zstd)")
            if name in LINEAGE.values():
                continue
            columns = FLAT_ZONE if name == "dim_zone" else "*"
            connection.sql(f"copy (select {columns} from {ordered}) to '{folder / name}.csv' (header, delimiter ';')")


def _readme(release_id: str, build: Build) -> str:
    fictitious = FICTITIOUS + "\n" if build.sources_kind == "demo" else ""
    return (
        f"{fictitious}Data & Quartiers, version {release_id}\n"
        f"Territoire : {build.territory}. Sources : {build.sources_kind}.\n\n"
        "indicator_value : un chiffre par ligne, avec son statut et sa période de référence.\n"
        "mart_* : les mêmes chiffres en tables larges, une par thème, et mart_comparaison.\n"
        "dim_zone : les zones. indicator : définition, formule et mésusages de chaque indicateur.\n"
        "qualite.html : ce qui a été contrôlé et ce que cela a donné. build.json : ce dont la version est faite.\n"
        "Vérifier les fichiers : sha256sum -c SHA256SUMS\n"
    )


def _write_sums(folder: Path) -> None:
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(folder.iterdir())
        if path.is_file()
    ]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def _sync_tree(folder: Path) -> None:
    """Bytes on disk before the rename that makes them count."""
    for path in [*folder.iterdir(), folder]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _switch(releases_dir: Path, release_id: str) -> None:
    temporary = releases_dir / ".current.tmp"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(release_id)
    temporary.replace(releases_dir / "current")

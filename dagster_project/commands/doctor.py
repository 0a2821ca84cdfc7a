"""`dq doctor`: what is missing on this machine, and what to do about it."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from dagster_project.settings import PROJECT_ROOT, Settings

NEEDED_BYTES = 2 * 1024**3


@dataclass(frozen=True)
class Finding:
    """One thing examined. `optional` findings do not make the command fail."""

    subject: str
    ok: bool
    advice: str
    optional: bool = False


def examine(settings: Settings) -> list[Finding]:
    """Everything a run needs, in the order it needs it."""
    return [
        _python(),
        _tool("dbt"),
        _tool("dagster"),
        _writable(settings.home),
        _space(settings.home),
        _sources(settings),
        _absent(settings),
        _browser(),
        _real_files(),
    ]


def _python() -> Finding:
    ok = sys.version_info[:2] == (3, 12)
    found = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python 3.12", ok, f"{found} trouvé" if ok else f"{found} trouvé : installez Python 3.12")


def _tool(name: str) -> Finding:
    ok = (Path(sys.executable).parent / name).exists()
    return Finding(name, ok, "installé" if ok else "absent de l’environnement : lancez « make run »")


def _existing(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder


def _writable(home: Path) -> Finding:
    ok = os.access(_existing(home), os.W_OK)
    return Finding("DQ_HOME", ok, f"{home}" if ok else f"{home} n’est pas inscriptible : choisissez un autre DQ_HOME")


def _space(home: Path) -> Finding:
    free = shutil.disk_usage(_existing(home)).free
    ok = free >= NEEDED_BYTES
    return Finding("espace disque", ok, f"{free / 1024**3:.1f} Gio libres" + ("" if ok else " : il en faut 2"))


def _sources(settings: Settings) -> Finding:
    if settings.sources != "mirror" or "://" in str(settings.mirror):
        return Finding("sources", True, f"{settings.sources}")
    ok = Path(str(settings.mirror)).is_dir()
    return Finding("miroir", ok, f"{settings.mirror}" if ok else f"{settings.mirror} n’existe pas : corrigez DQ_MIRROR")


def _absent(settings: Settings) -> Finding:
    """Datasets that may be absent, and are: a run succeeds without them, their figures have no value."""
    from dagster_project.sources.http import FetchError
    from dagster_project.sources.presence import absent_vintages

    try:
        found = sorted({f"{dataset.id} ({dataset.when_absent})" for dataset, _ in absent_vintages(settings)})
    except FetchError as error:  # two files of the inbox could be meant
        return Finding("jeux facultatifs", False, str(error), optional=True)
    advice = f"absents : {', '.join(found)} ; voir « dq sources status » pour les obtenir" if found else "tous présents"
    return Finding("jeux facultatifs", not found, advice, optional=True)


def _browser() -> Finding:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    advice = found or "absent : seuls les tests de pages en ont besoin (paquet Debian « chromium »)"
    return Finding("navigateur", bool(found), advice, optional=True)


def _real_files() -> Finding:
    folder = PROJECT_ROOT.parent / "shared" / "data"
    ok = folder.is_dir()
    advice = "présents" if ok else "absents : les tests real_data seront sautés (DQ_TEST_REAL_DATA)"
    return Finding("fichiers réels de test", ok, advice, optional=True)

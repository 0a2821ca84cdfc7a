"""Great Expectations' own Data Docs, for those who know them: opt-in, built from results already obtained.

As generated they load a dozen scripts and styles from other servers and call home with an image; those are removed,
so that the pages open offline, plainer than their authors meant. Their index, an empty table that scripts fill, is
replaced by a list of links.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from dagster_project.quality.results import validation_path
from dagster_project.quality.suites import Suite

_MARK = ".contenu"
_REMOTE = re.compile(
    r"""<link\b[^>]*\bhref=["']?https?://[^>]*>|<script\b[^>]*\bsrc=["']?https?://[^>]*>\s*</script>"""
    r"""|<(?:img|source)\b[^>]*\b(?:src|srcset)=["']?https?://[^>]*>|<iframe\b[^>]*>.*?</iframe>""",
    re.IGNORECASE | re.DOTALL,
)
_REMOTE_IMAGE = re.compile(r"""url\(\s*["']?https?://[^)]*\)""", re.IGNORECASE)


def build_data_docs(folder: Path, suites: Iterable[Suite], *, cache_dir: Path) -> bool:
    """Build Data Docs in `folder` from what `run_suites` left in `cache_dir`.

    Returns:
        False when nothing had changed since the last time; Great Expectations is then not imported.
    """
    suites = [suite for suite in suites if validation_path(cache_dir, suite).exists()]
    mark = folder / _MARK
    content = _digest(suites, cache_dir)
    if mark.exists() and mark.read_text(encoding="utf-8") == content and (folder / "index.html").exists():
        return False
    from dagster_project.quality.engine import write_data_docs

    aside = folder.with_name(folder.name + ".tmp")
    shutil.rmtree(aside, ignore_errors=True)
    validations = {
        suite.name: json.loads(validation_path(cache_dir, suite).read_text(encoding="utf-8")) for suite in suites
    }
    write_data_docs(aside, suites, validations)
    for page in aside.rglob("*.html"):
        text = _REMOTE.sub("", page.read_text(encoding="utf-8"))
        page.write_text(_REMOTE_IMAGE.sub("none", text), encoding="utf-8")
    (aside / "index.html").write_text(_index(aside), encoding="utf-8")
    (aside / _MARK).write_text(content, encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    aside.replace(folder)
    return True


def _index(folder: Path) -> str:
    parts = []
    for title, place in (("Résultats des contrôles", "validations"), ("Attentes", "expectations")):
        pages = sorted(path.relative_to(folder).as_posix() for path in (folder / place).rglob("*.html"))
        links = "".join(f'<li><a href="{page}">{Path(page).stem}</a></li>' for page in pages)
        parts.append(f"<h2>{title}</h2><ul>{links}</ul>")
    return (
        '<!DOCTYPE html><html lang="fr"><head><meta charset="utf-8"><title>Data Docs — Data &amp; Quartiers</title>'
        f"</head><body><h1>Data Docs de Great Expectations</h1>{''.join(parts)}</body></html>"
    )


def _digest(suites: list[Suite], cache_dir: Path) -> str:
    digest = hashlib.sha256()
    for suite in suites:
        digest.update(suite.model_dump_json().encode())
        digest.update(validation_path(cache_dir, suite).read_bytes())
    return digest.hexdigest()

"""Great Expectations' own Data Docs, for those who know them: opt-in, built from results already obtained.

As generated they load a dozen scripts and styles from other servers and call home with an image; those are removed,
so that the pages open offline, plainer than their authors meant.
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
    r"""|<img\b[^>]*\bsrc=["']?https?://[^>]*>|<iframe\b[^>]*>.*?</iframe>""",
    re.IGNORECASE | re.DOTALL,
)


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
        page.write_text(_REMOTE.sub("", page.read_text(encoding="utf-8")), encoding="utf-8")
    (aside / _MARK).write_text(content, encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    aside.replace(folder)
    return True


def _digest(suites: list[Suite], cache_dir: Path) -> str:
    digest = hashlib.sha256()
    for suite in suites:
        digest.update(suite.model_dump_json().encode())
        digest.update(validation_path(cache_dir, suite).read_bytes())
    return digest.hexdigest()

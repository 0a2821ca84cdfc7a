"""Which sources that may be absent are absent here.

A dataset whose `when_absent` is not `stop` becomes an empty raw table when no file of it is to be had: what is made
of it then has no value, and says why. A file dropped in the inbox always wins.
"""

from __future__ import annotations

from pathlib import Path

from dagster_project.settings import Settings
from dagster_project.sources.catalogue import Dataset, SourceFile, Vintage, load_catalogue
from dagster_project.sources.fetch import inbox_files


def absent_vintages(settings: Settings) -> list[tuple[Dataset, Vintage]]:
    """Vintages that a run would find absent, as far as this machine tells: an http mirror is not asked."""
    return [
        (dataset, vintage)
        for dataset in load_catalogue().values()
        if dataset.when_absent != "stop" and settings.sources != "demo"
        for vintage in dataset.vintages
        if not any(_at_hand(dataset, file, settings) for file in vintage.files)
    ]


def _at_hand(dataset: Dataset, file: SourceFile, settings: Settings) -> bool:
    if inbox_files(dataset, file, settings):
        return True
    if settings.sources == "live":
        return file.live.url is not None or (file.live.client is not None and settings.has_francetravail_key)
    if "://" in str(settings.mirror):
        return file.mirror is not None
    return file.mirror is not None and all((Path(str(settings.mirror)) / path).is_file() for path in file.mirror.paths)

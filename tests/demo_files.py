"""Which files the demonstration has: those of the editions that the catalogue says it shows."""

from __future__ import annotations

from collections.abc import Iterator

from dagster_project.sources.catalogue import Dataset, SourceFile, load_catalogue


def demo_files() -> Iterator[tuple[Dataset, SourceFile, str]]:
    """Dataset, file and path in the mirror; a shapefile and a bundle have several paths."""
    for dataset in load_catalogue().values():
        for vintage in dataset.vintages:
            for file in vintage.files if vintage.in_demo else ():
                for path in file.mirror.paths if file.mirror else ():
                    yield dataset, file, path


def demo_paths(*starts: str, ends: str = "") -> list[str]:
    """Paths in the mirror that begin with one of these texts and end with another."""
    return [path for _, _, path in demo_files() if path.startswith(starts or "") and path.endswith(ends)]


def tables_with_a_real_copy() -> list[str]:
    """Text tables of the demonstration beside which a real file can be laid."""
    return [path for _, file, path in demo_files() if file.sha256 and path.endswith((".csv", ".txt"))]

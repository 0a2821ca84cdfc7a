"""`ATTRIBUTION.md`: whose data a release is made of, under which terms, and from which bytes."""

from __future__ import annotations

from collections.abc import Sequence

from dagster_project.release.edition import FICTITIOUS, Edition
from dagster_project.release.sources import SourceDataset, SourceFile


def attribution(sources: Sequence[SourceDataset], edition: Edition) -> str:
    """Markdown, in French: one section per dataset, with the digest of each of its files."""
    warning = f"**{FICTITIOUS}** Les producteurs cités sont ceux des fichiers imités.\n\n" if edition.fictitious else ""
    producers = " ; ".join(sorted({source.producer for source in sources}))
    head = (
        f"# Sources de la version {edition.release_id}\n\n{warning}"
        f"Producteurs : {producers}.\n\n"
        "Toute réutilisation cite les sources, avec leur date, et ne laisse pas croire que les producteurs "
        "approuvent l’usage qui en est fait. Les empreintes sont des SHA-256 des fichiers tels qu’ils ont été reçus.\n"
    )
    return head + "".join(_section(source) for source in sources)


def _section(source: SourceDataset) -> str:
    rows = "".join(_row(file) for file in source.files)
    return (
        f"\n## {source.title}\n\n"
        f"- Producteur : {source.producer}\n"
        f"- Citation : {source.citation}\n"
        f"- Page officielle : <{source.page}>\n"
        f"- Licence : [{source.licence}]({source.licence_url})\n"
        f"- Éditions : {', '.join(source.vintages)}\n"
        f"- Identifiant : `{source.id}`\n\n"
        "| Fichier | Édition | Reçu le | Taille (octets) | Nature | SHA-256 |\n"
        "|---|---|---|---:|---|---|\n"
        f"{rows}"
    )


def _row(file: SourceFile) -> str:
    name = file.name.replace("|", "\\|")
    cells = (name, file.vintage, file.fetched_at[:10], str(file.size), file.copy_in_words, f"`{file.sha256}`")
    return f"| {' | '.join(cells)} |\n"

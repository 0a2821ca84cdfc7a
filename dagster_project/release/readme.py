"""`LISEZMOI.txt`: what each file of a release is, for whoever opens the folder."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence

from dagster_project.pages.numbers import NO_BREAK, plural
from dagster_project.release.contract import load_contents
from dagster_project.release.edition import FICTITIOUS, Edition
from dagster_project.release.tables import ReleasedTable

WIDTH = 100
READING = """\
Lire les fichiers
-----------------
Chaque table existe en Parquet (types et valeurs nulles) et en CSV (UTF-8, séparateur « ; », point décimal) ;
les tables larges (mart_*) aussi en JSON, avec les mêmes cellules que le CSV. lineage et zone_input n’existent qu’en
Parquet.

Aucune cellule n’est vide sans motif. En CSV et en JSON, un mot en tient lieu (liste ci-dessous, et fichier
absence.csv, avec les codes SDMX). En Parquet, la cellule est nulle et le motif se lit dans la colonne voisine
« …_statut », ou dans la colonne « status » de la ligne ; datapackage.json dit la règle, colonne par colonne.

Les fichiers CSV sont des données pour machines : rien n’y est ajouté ni échappé. Une cellule de texte peut
commencer par « = », « + », « - » ou « @ », qu’un tableur prendrait pour une formule : y ouvrir ces fichiers par
l’importation de données, en déclarant les colonnes de codes et de textes comme du texte (« 01001 » y garde son zéro).

quartiers.duckdb s’ouvre en lecture seule : duckdb -readonly quartiers.duckdb
Les vues « chiffres » et « derniers_chiffres » y réunissent chaque chiffre, son indicateur et sa zone.

Vérifier les fichiers
---------------------
sha256sum -c SHA256SUMS
DuckDB n’écrit pas deux fois les mêmes octets : quartiers.duckdb n’est pas dans cette liste, mais le contenu de
chacune de ses tables l’est, par quartiers.duckdb.contenu :
duckdb -readonly quartiers.duckdb "copy indicator_value to '/dev/stdout' (header, delimiter ';')" | sha256sum
"""


def readme(names: Iterable[str], tables: Sequence[ReleasedTable], labels: Mapping[str, str], edition: Edition) -> str:
    """Text of `LISEZMOI.txt`.

    Args:
        names: every file of the release.
        tables: its tables.
        labels: what each label of absence means.
        edition: the release.
    """
    head = f"Data & Quartiers, version {edition.release_id}"
    told = load_contents().files
    others = sorted(name for name in names if name in told)
    return "\n".join(
        [
            *([FICTITIOUS, ""] if edition.fictitious else []),
            head,
            "=" * len(head),
            f"Territoire : {edition.territory}. Sources : {edition.sources}. Publiée le {edition.date}.",
            "",
            "Tables",
            "------",
            *(_entry(table.name, f"{table.doc.description} ({_rows(table.rows)})") for table in tables),
            "",
            "Autres fichiers",
            "---------------",
            *(_entry(name, told[name]) for name in others),
            "",
            READING,
            "Ce que veulent dire les mots à la place d’une valeur",
            "----------------------------------------------------",
            *(_entry(label, meaning) for label, meaning in labels.items()),
            "",
        ]
    )


def _rows(count: int) -> str:
    return plural(count, "ligne").replace(" ", NO_BREAK)


def _entry(name: str, text: str) -> str:
    sentence = text if text.endswith((".", ")")) else f"{text}."
    return textwrap.fill(f"{name}\u00a0: {sentence}", WIDTH, subsequent_indent="    ", break_on_hyphens=False)

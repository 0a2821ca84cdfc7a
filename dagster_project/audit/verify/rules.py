"""What the lineage and the figures of a release must agree on: each rule is a query for what breaks it.

They hold even against someone who changes `lineage.parquet` and its digest: the formula, the zones, the columns that
feed each variable, the notes and the corrections are told elsewhere in the release.
"""

from __future__ import annotations

from dagster_project.audit.verify.access_rules import NETWORKS
from dagster_project.audit.verify.prelude import Rule
from dagster_project.audit.verify.units import UNITS
from dagster_project.release.verifier_preuve import NIVEAUX

RULES = (
    Rule(
        "Chaque chiffre a des cellules, et chaque cellule un chiffre",
        """
        select figure_id, 'aucune ligne de lineage.parquet n’entre dans son calcul'
        from indicator_value
        anti join cellule using (figure_id)
        anti join figure_component as modele using (figure_id)
        anti join (from source_presence where not present) as absente using (dataset, vintage, status)
        anti join sans_cellule using (figure_id)
        union all
        select figure_id, 'figure_component.parquet le fait de ' || component_figure_id || ', qui n’est pas un chiffre'
        from figure_component
        anti join indicator_value as chiffre on figure_component.component_figure_id = chiffre.figure_id
        union all
        select distinct figure_id, 'lineage.parquet cite ce chiffre, qui n’est pas dans indicator_value.parquet'
        from lineage anti join indicator_value using (figure_id)
        """,
    ),
    Rule(
        "Le nom de chaque chiffre est sa clé",
        """
        select figure_id, 'ce nom n’est pas la clé de sa ligne dans indicator_value.parquet'
        from indicator_value
        where figure_id != concat_ws('.', indicator_code, zone_level, zone_code, generation, vintage)
        union all
        select figure_id, 'ce chiffre figure ' || count(*) || ' fois dans indicator_value.parquet'
        from indicator_value group by figure_id having count(*) > 1
        """,
    ),
    Rule(
        "Une valeur est présente si, et seulement si, le statut le dit",
        """
        select figure_id, 'statut ' || status || ', valeur ' || coalesce(cast(value as varchar), 'absente')
        from indicator_value where (value is not null) != (status in ('ok', 'estime'))
        """,
    ),
    Rule(
        "Les cellules sont celles de la formule, une par terme, sous leur coefficient",
        f"""
        with

        attendu as (
            select figure.figure_id, figure.method, terme.role, terme.variable, terme.coefficient
            from indicator_value as figure
            inner join chemin using (figure_id)
            inner join indicator_term as terme using (indicator_code, path)
            where figure.method not in {("M4", *NIVEAUX)}
        ),

        present as (
            select figure_id, role, variable, count(*) as cellules, min(weight) as poids
            from cellule where not reporte and method != 'M4' group by figure_id, role, variable
        )

        select
            figure_id,
            case
                when present.cellules is null then 'aucune cellule pour le terme ' || variable || ' (' || role || ')'
                when attendu.coefficient is null then variable || ' (' || role || ') n’est pas dans la formule'
                when cellules > 1 then cellules || ' cellules pour le terme ' || variable || ' (' || role || ')'
                else 'le poids de ' || variable || ' est ' || poids || ', son coefficient ' || coefficient
            end
        from attendu full join present using (figure_id, role, variable)
        where
            present.cellules is null or attendu.coefficient is null
            or (method = 'M0' and (cellules > 1 or poids is distinct from cast(coefficient as double)))
        """,
    ),
    UNITS,
    NETWORKS,
    Rule(
        "Chaque ligne de fichier est nommée par sa cellule-clé, qui désigne la zone",
        """
        with

        ligne as (
            select distinct figure_id, dataset, source_sha256, source_member, source_row, place
            from cellule
            where source_row is not null and dataset in (select dataset from lineage where role = 'key')
        ),

        cle as (
            select lineage.*, coalesce(lineage.term, figure.zone_code) as place
            from lineage inner join indicator_value as figure using (figure_id)
            where role = 'key'
        )

        select figure_id, 'aucune cellule-clé pour la ligne ' || source_row || ' de ' || source_member
        from ligne anti join cle using (figure_id, source_sha256, source_member, source_row, place)
        union all
        select figure_id, 'cellule-clé sans cellule de calcul, ligne ' || source_row || ' de ' || source_member
        from cle anti join ligne using (figure_id, source_sha256, source_member, source_row, place)
        union all
        select figure_id, 'la cellule-clé porte « ' || coalesce(raw_value, '') || ' », non la zone ' || place
        from cle
        where
            coalesce(trim(raw_value), '') != place
            and not (place = 'ENSEMBLE' and upper(trim(raw_value)) = 'ENSEMBLE')
        """,
    ),
    Rule(
        "Chaque zone existe par les cellules que dim_zone.parquet désigne",
        """
        with

        attendu as (
            select
                zone_level, zone_code, generation, source_dataset as dataset, source_sha256, source_member, source_row,
                source_column, zone_key as raw_value
            from dim_zone
            where source_dataset is not null
        ),

        -- Every zone of a list has cells in the same columns of it.
        colonne as (
            select distinct dataset, source_column from zone_input
        )

        select
            concat_ws('.', zone_level, zone_code, generation),
            'la cellule par laquelle la zone existe manque à zone_input.parquet : ligne ' || source_row || ' de '
                || source_member
        from (from attendu except all from zone_input)
        union all
        select
            concat_ws('.', zone_level, zone_code, generation),
            'zone_input.parquet n’a pas de cellule ' || colonne.source_column || ' pour cette zone'
        from attendu
        inner join colonne using (dataset)
        anti join zone_input
            on
                attendu.zone_level = zone_input.zone_level and attendu.zone_code = zone_input.zone_code
                and attendu.generation = zone_input.generation and colonne.source_column = zone_input.source_column
        union all
        select
            concat_ws('.', zone_level, zone_code, generation),
            'cette cellule n’est pas de la ligne de la zone : ligne ' || source_row || ' de ' || source_member
        from zone_input
        anti join attendu
            using (zone_level, zone_code, generation, dataset, source_sha256, source_member, source_row)
        union all
        select figure_id, 'dim_zone.parquet ne connaît pas sa zone'
        from indicator_value anti join dim_zone using (zone_level, zone_code, generation)
        """,
    ),
    Rule(
        "Chaque cellule vide porte la note que son fichier lui donne",
        """
        with

        attendu as (
            select distinct
                cellule.figure_id, cellule.variable, cellule.source_sha256, cellule.source_row,
                voulue.note_column as source_column
            from cellule
            inner join variable_column as voulue
                on
                    cellule.dataset = voulue.dataset and cellule.variable = voulue.variable
                    and cellule.source_column = voulue.source_column and voulue.vintage in ('*', cellule.vintage)
            inner join colonne_note
                on
                    cellule.source_sha256 = colonne_note.source_sha256
                    and voulue.note_column = colonne_note.source_column
            left join corrections using (correction_id)
            where
                voulue.note_column is not null and cellule.source_row is not null and not cellule.reporte
                and coalesce(trim(cellule.raw_value), '') = '' and coalesce(corrections.action, '') != 'override'
        ),

        present as (
            select figure_id, variable, source_sha256, source_row, source_column from lineage where role = 'note'
        )

        select figure_id, variable || ' : la note ' || source_column || ' de la ligne ' || source_row || ' manque'
        from (from attendu except all from present)
        union all
        select figure_id, variable || ' : la note ' || source_column || ' de la ligne ' || source_row || ' est de trop'
        from (from present except all from attendu)
        """,
    ),
    Rule(
        "Chaque cellule est dans la colonne de sa variable",
        """
        select figure_id, variable || ' ne vient pas de la colonne ' || source_column || ' de ' || source_member
        from cellule
        -- Models also read what is no statistic of a zone: offers, job seekers by occupation.
        where (method != 'M4' or variable in (select known.variable from variable_column as known)) and not exists (
            select 1 from variable_column as voulue
            where
                voulue.dataset = cellule.dataset and voulue.variable = cellule.variable
                and voulue.source_column = cellule.source_column and voulue.vintage in ('*', cellule.vintage)
        )
        """,
    ),
    Rule(
        "Chaque cellule est dans un fichier reçu, de l’édition du chiffre",
        """
        select figure_id, 'source_file.parquet ne décrit pas ' || source_member || ' (' || dataset || ')'
        from lineage anti join source_file using (dataset, source_sha256)
        union all
        select
            concat_ws('.', zone_level, zone_code, generation),
            'source_file.parquet ne décrit pas ' || source_member || ' (' || dataset || ')'
        from zone_input anti join source_file using (dataset, source_sha256)
        union all
        select figure_id, source_member || ' n’est pas de l’édition ' || vintage
        from cellule
        semi join source_file using (dataset, source_sha256)
        anti join source_file using (dataset, source_sha256, vintage)
        -- An offer is of the year it was written in, whatever the edition of the file that holds it.
        where method != 'M4' or variable in (select known.variable from variable_column as known)
        """,
    ),
    Rule(
        "Les cellules corrigées sont celles des corrections déclarées",
        """
        select
            cellule.figure_id,
            'colonne ' || cellule.source_column || ' : correction '
                || coalesce(cellule.correction_id, 'aucune') || ' dans lineage.parquet, '
                || coalesce(declaree.correction_id, 'aucune') || ' dans corrections.parquet'
        from cellule
        left join corrections as declaree
            on
                cellule.dataset = declaree.dataset and cellule.vintage = declaree.vintage
                and cellule.place = declaree.zone_code and cellule.source_column = declaree.source_column
        where cellule.correction_id is distinct from declaree.correction_id
        """,
    ),
    Rule(
        "Aucune ligne de lineage.parquet n’est répétée",
        """
        select
            figure_id,
            'une ligne est répétée ' || fois || ' fois : ' || role || ' ' || coalesce(variable, '') || ', ligne '
                || coalesce(cast(source_row as varchar), 'absente') || ' de ' || source_member
        from (select *, count(*) as fois from lineage group by all)
        where fois > 1
        """,
    ),
)

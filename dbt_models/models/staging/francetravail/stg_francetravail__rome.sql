{#
    Occupations of both versions of the ROME. A code of version 3 is its own parent, in version 4 too, so that offers and
    demands of either version meet in `code_parent_v3`.
#}
with

v3 as (
    select *, 'v3' as rome_version, code_rome as code_parent_v3 from {{ source('raw', 'francetravail_rome_v3') }}
),

v4 as (
    select *, 'v4' as rome_version, nullif(trim(code_rome_parent), '') as code_parent_v3
    from {{ source('raw', 'francetravail_rome_v4') }}
),

occupation as (
    select code_rome, rome_version, libelle_rome, code_parent_v3, _source_sha256, _source_member, _source_row from v3
    union all
    select code_rome, rome_version, libelle_rome, code_parent_v3, _source_sha256, _source_member, _source_row from v4
)

select
    trim(code_rome) as code_rome,
    rome_version,
    replace(trim(libelle_rome), chr(39) || chr(39), chr(39)) as libelle,
    trim(code_parent_v3) as code_parent_v3,
    left(trim(code_rome), 1) as grand_domaine,
    _source_sha256 as source_sha256,
    _source_member as source_member,
    _source_row as source_row
from occupation

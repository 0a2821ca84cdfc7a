{# Job seekers by occupation and territory. A count that is not given is no zero: it stays null. #}
select
    "codeTypeTerritoire" as code_type_territoire,
    "codeTerritoire" as code_territoire,
    "codeActivite" as code_rome,
    "codeNomenclature" as categorie,
    "codePeriode" as periode,
    _vintage as vintage,
    try_cast(try_cast("valeurPrincipaleNombre" as double) as integer) as n_demandeurs,
    _source_sha256 as source_sha256,
    _source_member as source_member,
    _source_row as source_row
from {{ source('raw', 'francetravail_marche') }}
where "codeTypeActivite" = 'ROME'

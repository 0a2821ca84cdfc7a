select
    code_iris as iris_code,
    libelle_iris as iris_name,
    code_commune as commune_code,
    try_cast(population as double) as population_hab,
    _source_sha256 as source_sha256,
    _source_member as source_member,
    _source_row as source_row
from {{ source('raw', 'ign_contours_iris') }}

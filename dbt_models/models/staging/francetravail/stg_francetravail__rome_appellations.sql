select
    code_ogr as appellation_code,
    trim(code_rome) as code_rome,
    'v3' as rome_version,
    replace(trim(libelle_appellation_long), chr(39) || chr(39), chr(39)) as appellation,
    _source_sha256 as source_sha256,
    _source_member as source_member,
    _source_row as source_row
from {{ source('raw', 'francetravail_rome_appellations') }}

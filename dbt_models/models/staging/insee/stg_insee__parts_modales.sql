{# Shares in %, by commune; "N/A - …" is spelt out where a share is not given, and stays null. #}
select
    'COM' as zone_level,
    trim("Code") as zone_code,
    'COG' as generation,
    _vintage as vintage,
    "Libellé" as commune,
    {{ nombre('"Part des actifs occ 15 ans ou plus voiture pour travailler 2021"') }} as part_voiture,
    {{ nombre('"Part des actifs occ 15 ans ou plus vélo pour travailler 2021"') }} as part_velo,
    {{ nombre('"Part des actifs occupés de 15 ans ou plus  les transports en commun 2021"') }} as part_tc,
    {{ nombre('"Part des ménages ayant au moins 1 voiture 2021"') }} as part_menages_motorises,
    _source_sha256 as source_sha256,
    _source_member as source_member,
    _source_row as source_row
from {{ source('raw', 'insee_parts_modales') }}

{# Two files hold the hexagon: the Lambert-93 original wins there, the world file serves overseas. #}
select
    trim("CODE_QP") as qpv_code,
    'QP2015' as generation,
    trim("NOM_QP") as qpv_name,
    trim("COMMUNE_QP") as commune_names,
    {{ departement_de_qpv('trim("CODE_QP")') }} as departement_code,
    "CODE_QP" as zone_key,
    _source_sha256 as source_sha256,
    _source_member as source_member,
    _source_row as source_row
from {{ source('raw', 'anct_qpv_2015') }}
qualify row_number() over (
    partition by trim("CODE_QP")
    order by _geometry_crs = 'EPSG:2154' desc, _source_sha256 asc, _source_row asc
) = 1

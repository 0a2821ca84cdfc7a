select
    trim(code_qp) as qpv_code,
    'QN2024' as generation,
    trim(lib_qp) as qpv_name,
    insee_com as commune_codes,
    {{ departement_de_qpv('trim(code_qp)') }} as departement_code,
    code_qp as zone_key,
    _source_sha256 as source_sha256,
    _source_member as source_member,
    _source_row as source_row
from {{ source('raw', 'anct_qpv_2024') }}

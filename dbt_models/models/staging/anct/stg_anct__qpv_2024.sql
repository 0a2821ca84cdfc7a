select
    trim(code_qp) as qpv_code,
    'QN2024' as generation,
    trim(lib_qp) as qpv_name,
    insee_com as commune_codes,
    {{ departement_de_qpv('trim(code_qp)') }} as departement_code
from {{ source('raw', 'anct_qpv_2024') }}

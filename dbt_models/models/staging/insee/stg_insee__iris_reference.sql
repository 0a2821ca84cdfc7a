{# Communes outside any unité urbaine carry a code that ends with 000. #}
select
    "CODE_IRIS" as iris_code,
    "DEPCOM" as commune_code,
    "LIBCOM" as commune_name,
    case when "UU2020" not like '%000' then "UU2020" end as unite_urbaine_code,
    _source_sha256 as source_sha256,
    _source_member as source_member,
    _source_row as source_row
from {{ source('raw', 'insee_iris_reference') }}

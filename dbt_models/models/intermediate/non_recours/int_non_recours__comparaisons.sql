{# The rest of the communes of each QPV, which its rate is compared with. #}
select
    qpv.zone_level,
    qpv.zone_code,
    qpv.generation,
    rest.zone_level as reference_level,
    rest.zone_code as reference_code,
    rest.generation as reference_generation
from {{ ref('dim_zone') }} as qpv
inner join {{ ref('dim_zone') }} as rest
    on
        rest.zone_level = 'HQPV'
        and qpv.generation = rest.generation
        and array_to_string(qpv.communes, '+') = rest.zone_code
where qpv.zone_level = 'QPV'

{# The ground on which claims are tested: zones of each mesh, under each index. #}
select
    zone.zone_level as mesh,
    zone.zone_code,
    zone.communes[1] as commune,
    zone.epci,
    cast(zone.population as double) as population,
    output.index_code,
    output.value,
    output.status
from {{ ref('int_modele__vulnerabilite') }} as output
inner join {{ ref('dim_zone') }} as zone using (zone_level, zone_code, generation)
where output.sortie = 'indice' and output.variant = 'reference' and zone.zone_level in ('IRIS', 'COM')

{# Indices of each zone with their uncertainty, and its class with the probability of each. #}
with

output as (
    select * from {{ ref('int_modele__vulnerabilite') }}
),

index_value as (
    select
        {% for index in ('SOCIO', 'SANTE') -%}
            {% for column in ('value', 'ci_low', 'ci_high', 'rank_median', 'rank_low', 'rank_high', 'status') -%}
                max({{ column }}) filter (where index_code = 'A_{{ index }}') as {{ index | lower }}_{{ column }},
            {% endfor -%}
        {% endfor -%}
        zone_level,
        zone_code,
        generation
    from output
    where sortie = 'indice' and variant = 'reference'
    group by all
),

typology as (
    select * from output
    where sortie = 'typologie'
)

select
    index_value.*,
    typology.class,
    typology.p_double_fragilite,
    typology.p_fragilite_sanitaire,
    typology.p_fragilite_sociale,
    typology.p_non_fragile,
    typology.distance_sante,
    typology.distance_socio,
    typology.stable,
    typology.partial,
    typology.status as class_status,
    typology.model_version
from index_value
left join typology using (zone_level, zone_code, generation)
order by zone_level, zone_code, generation

{# Indices of each zone with their uncertainty, and its class with the probability of each. #}
with

output as (
    select * from {{ ref('int_modele__vulnerabilite') }}
),

indice as (
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

typologie as (
    select * from output
    where sortie = 'typologie'
)

select
    indice.*,
    typologie.class,
    typologie.p_double_fragilite,
    typologie.p_fragilite_sanitaire,
    typologie.p_fragilite_sociale,
    typologie.p_non_fragile,
    typologie.distance_sante,
    typologie.distance_socio,
    typologie.stable,
    typologie.partial,
    typologie.status as class_status,
    typologie.model_version
from indice
left join typologie using (zone_level, zone_code, generation)
order by zone_level, zone_code, generation

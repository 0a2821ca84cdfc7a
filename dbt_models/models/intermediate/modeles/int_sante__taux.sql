{# Reference: persons covered and cases treated by sex and age over the régions of the partner's file. #}
with

region as (
    select * from {{ ref('stg_ors__sante_ages') }}
    where zone_level = 'REGION'
),

counted as (
    {% for component, cases in [('A_ASTHME', 'asthma'), ('A_DIAB', 'diabetes'), ('A_ALD', 'long_term')] %}
        select vintage, '{{ component }}' as component, sex, age, {{ cases }} as cases, covered from region
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select vintage, component, sex, age, sum(cases) as cases, sum(covered) as covered
from counted
where cases is not null
group by vintage, component, sex, age

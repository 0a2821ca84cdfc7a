{# Reference: persons covered and cases treated by sex and age over the régions of the partner's file. #}
with

region as (
    unpivot (
        select vintage, sex, age, covered, asthma as A_ASTHME, diabetes as A_DIAB, long_term as A_ALD
        from {{ ref('stg_ors__sante_ages') }}
        where zone_level = 'REGION'
    )
    on A_ASTHME, A_DIAB, A_ALD
    into name component value cases
)

select vintage, component, sex, age, sum(cases) as cases, sum(covered) as covered
from region
group by all

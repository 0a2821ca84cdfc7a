{#- Every observation, one model per dataset below it. -#}
{{ config(materialized='view') }}
{% set datasets = [
    'insee_demo',
    'insee_demo_plat',
    'insee_revn',
    'insee_ipro',
    'insee_filosofi_qpv',
    'insee_filosofi_com',
    'insee_filosofi_epci',
    'insee_filosofi_dep',
    'insee_filosofi_reg',
    'insee_filosofi_metropole',
    'insee_populations_communes',
    'anct_analyse_qpv',
] %}
{% for dataset in datasets -%}
select * from {{ ref('obs_' ~ dataset) }}
{{ 'union all' if not loop.last }}
{% endfor %}

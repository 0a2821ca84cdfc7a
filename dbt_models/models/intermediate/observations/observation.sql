{#- Every observation, one model per dataset below it. -#}
{{ config(materialized='view') }}
{% for dataset in tables_statistiques() %}
    select * from {{ ref('obs_' ~ dataset) }}
    {{ 'union all' if not loop.last }}
{% endfor %}

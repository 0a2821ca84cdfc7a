{#
    Published totals that our own must reproduce (seed `reference_figure`, each with its citation).
    They speak of France: on another territory, or on fictitious data, there is nothing to compare.
#}
{% test reference_publiee(model) %}
with

computed as (
    select
        reference_figure.reference_id,
        reference_figure.expected,
        reference_figure.tolerance_relative,
        reference_figure.citation,
        sum(figure.value) as computed
    from {{ ref('reference_figure') }} as reference_figure
    inner join {{ model }} as figure using (indicator_code, zone_level, vintage)
    where
        figure.generation = 'QP2015'
        and (reference_figure.scope = 'france' or figure.zone_code not like 'QP97%')
    group by all
)

select *, computed / expected - 1 as relative_gap
from computed
where
    {{ 'true' if env_var('DQ_DBT_REAL', '') and not env_var('DQ_DBT_DEPARTEMENTS', '') else 'false' }}
    and abs(computed / expected - 1) > tolerance_relative
{% endtest %}

{# Figures worked out by hand from the source files (seed `expected_figure`); real sources only. #}
{% test chiffres_attendus(model) %}
select
    expected_figure.indicator_code,
    expected_figure.zone_code,
    expected_figure.vintage,
    expected_figure.expected,
    figure.value,
    figure.status
from {{ ref('expected_figure') }} as expected_figure
inner join {{ ref('dim_zone') }} as zone
    on expected_figure.zone_code = zone.zone_code and zone.zone_level = 'QPV'
left join {{ model }} as figure
    on
        expected_figure.indicator_code = figure.indicator_code
        and expected_figure.zone_code = figure.zone_code
        and expected_figure.vintage = figure.vintage
where
    {{ 'true' if env_var('DQ_DBT_REAL', '') else 'false' }}
    and coalesce(abs(figure.value - expected_figure.expected) > 1e-9 * abs(expected_figure.expected), true)
{% endtest %}

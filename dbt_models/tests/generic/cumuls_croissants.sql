{# Who reaches a place within a time reaches it within a longer one: workplaces within T minutes never fall with T. #}
{% test cumuls_croissants(model) %}
with

cumul as (
    select
        *,
        split_part(indicator_code, '_', 4) as mode,
        split_part(indicator_code, '_', 3)::int as minutes
    from {{ model }}
    where indicator_code like 'D\_CUM\_%' escape '\' and value is not null
)

select
    indicator_code,
    zone_level,
    zone_code,
    generation,
    vintage,
    value,
    lag(value) over (
        partition by mode, zone_level, zone_code, generation, vintage
        order by minutes
    ) as value_in_less_time
from cumul
qualify value < value_in_less_time
{% endtest %}

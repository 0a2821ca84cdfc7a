{#
    Two-step floating catchment shares each workplace whole: over the zones of a generation, weights times inhabitants
    make 1 at each place. Summed over places, inhabitants times figures give back the workplaces that are reached.
#}
{% test partage_entier(model) %}
select
    term.indicator_code,
    term.generation,
    term.vintage,
    term.iris_code,
    sum(term.weight * zone.population) as total_shared
from {{ model }} as term
inner join {{ ref('dim_zone') }} as zone using (zone_level, zone_code, generation)
where term.indicator_code like 'D\_2SFCA\_%' escape '\'
group by term.indicator_code, term.generation, term.vintage, term.iris_code
having abs(total_shared - 1) > 1e-9
{% endtest %}

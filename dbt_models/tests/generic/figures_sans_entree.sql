{# A figure descends from at least one cell of its formula, and an input belongs to a figure. #}
{% test figures_sans_entree(model) %}
with

entree as (
    select distinct figure_id
    from {{ ref('figure_input') }}
    where role in ('value', 'numerator', 'denominator')
)

select
    coalesce(figure.figure_id, entree.figure_id) as figure_id,
    case when figure.figure_id is null then 'entrée sans chiffre' else 'chiffre sans entrée' end as anomalie
from {{ model }} as figure
full join entree using (figure_id)
where figure.figure_id is null or entree.figure_id is null
{% endtest %}

{#
    A figure descends from at least one cell of its formula, and an input belongs to a figure. A figure whose source was
    not received has none, and a model's figure descends from other figures.
#}
{% test figures_sans_entree(model) %}
with

read_cell as (
    select distinct figure_id
    from {{ ref('figure_input') }}
    where role in ('value', 'numerator', 'denominator', 'set_aside')
)

select
    coalesce(figure.figure_id, read_cell.figure_id) as figure_id,
    case when figure.figure_id is null then 'entrée sans chiffre' else 'chiffre sans entrée' end as anomalie
from {{ model }} as figure
full join read_cell using (figure_id)
where
    (figure.figure_id is null or read_cell.figure_id is null)
    and coalesce(figure.method, '') != 'M4'
    and coalesce(figure.dataset, '') not in (
        select absente.dataset from {{ source('derived', 'source_presence') }} as absente
        where not absente.present
    )
{% endtest %}

{#
    The inputs of a figure recompute it, from the producers' text and the formula alone: 1e-9 relative. Cells of one term
    multiply. A figure without a value has an input without one, an empty denominator, or units that render too little
    of its zone.
#}
{% test recalcul_par_les_entrees(model) %}
with

{# A correction may concern several zones, always in the same way. #}
correction as (
    select distinct correction_id, action, corrected_value from {{ source('derived', 'corrections') }}
),

cell as (
    select
        entree.figure_id,
        entree.role,
        coalesce(entree.term, entree.variable) as term,
        entree.weight,
        {{ valeur_corrigee(nombre('entree.raw_value')) }} as value
    from {{ ref('figure_input') }} as entree
    left join correction using (correction_id)
    where entree.role in ('value', 'numerator', 'denominator')
),

term_value as (
    select
        figure_id,
        role,
        term,
        product(weight * value) as value,
        bool_and(value is not null) as complete
    from cell
    group by all
),

summed as (
    select
        figure_id,
        bool_or(role = 'value') as published,
        bool_and(complete) as complete,
        sum(value) filter (where role = 'value') as published_value,
        sum(value) filter (where role = 'numerator') as numerator,
        sum(value) filter (where role = 'denominator') as denominator
    from term_value
    group by figure_id
),

recomputed_figure as (
    select
        figure.figure_id,
        figure.value,
        figure.status,
        case
            when not summed.complete or figure.status = 'non_couvert' then null
            when summed.published then summed.published_value
            else indicator.scale * summed.numerator / nullif(summed.denominator, 0)
        end as recomputed
    from {{ model }} as figure
    inner join {{ ref('indicator') }} as indicator using (indicator_code)
    inner join summed using (figure_id)
    where figure.method != 'M4'
)

select *
from recomputed_figure
where
    (value is null) != (recomputed is null)
    or abs(value - recomputed) > 1e-9 * abs(value)
{% endtest %}

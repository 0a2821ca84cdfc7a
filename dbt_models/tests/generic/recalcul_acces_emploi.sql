{#
    Offers recompute the figures that are sums over them, from the producers' text and the weights alone: 1e-9 relative.
    A number of posts left empty counts for one.
#}
{% test recalcul_acces_emploi(model) %}
with

summed as (
    select figure_id, sum(weight * greatest(1, coalesce({{ nombre('raw_value') }}, 1))) as recomputed
    from {{ model }}
    where role = 'numerator'
    group by figure_id
),

figure as (
    select {{ figure_id() }} as figure_id, value
    from {{ ref('int_indicateurs__acces_emploi') }}
    where value is not null and indicator_code in ('B_DIST_MOY', 'B_DIST_MOY_ZE', 'B_NB_OFFRES', 'B_NB_30TC')
)

select *
from figure
full join summed using (figure_id)
where figure.figure_id is null or abs(coalesce(summed.recomputed, 0) - figure.value) > 1e-9 * abs(figure.value)
{% endtest %}

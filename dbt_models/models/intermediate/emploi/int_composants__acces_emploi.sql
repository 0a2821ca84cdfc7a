{#
    Figures that figures of access to jobs are made of, in the columns of `figure_component`: the offers of the
    catchment, and the job seekers of a QPV whose demand is estimated.
#}
with

figure as (
    select {{ figure_id() }} as figure_id, *
    from {{ ref('int_indicateurs__acces_emploi') }}
    where value is not null
),

seekers as (
    select distinct {{ cle_zone() }}, total_vintage
    from {{ ref('int_demande__rome') }}
    where total_vintage is not null
)

select
    figure.figure_id,
    concat_ws('.', 'B_NB_OFFRES', figure.zone_level, figure.zone_code, figure.generation, figure.vintage)
        as component_figure_id
from figure
where figure.indicator_code not in ('B_NB_OFFRES', 'B_DIST_MOY', 'B_DIST_MOY_ZE', 'B_NB_30TC')
union all
select
    figure.figure_id,
    concat_ws('.', 'DE_ABC', figure.zone_level, figure.zone_code, figure.generation, seekers.total_vintage)
from figure
inner join seekers using (zone_level, zone_code, generation)

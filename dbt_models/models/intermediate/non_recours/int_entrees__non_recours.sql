{#
    Cells of the national reference that estimates of an edition are set to, in the columns of `figure_input`, where a
    file of the producer gives them. A reference taken from the seed has its citation in `mart_non_recours_verrou`.
#}
select
    concat_ws('.', figure.indicator_code, figure.zone_level, figure.zone_code, figure.generation, figure.vintage)
        as figure_id,
    'parameter' as role,
    national.mesure as term,
    'c2s_national' as variable,
    cast(1 as double) as weight,
    'drees_c2s_national' as dataset,
    national.source_sha256,
    national.source_member,
    national.source_row,
    'non_recours_pct' as source_column,
    raw_cell.non_recours_pct as raw_value,
    cast(null as varchar) as correction_id
from {{ ref('int_indicateurs__non_recours') }} as figure
inner join {{ ref('int_non_recours__national') }} as national using (vintage)
inner join {{ source('raw', 'drees_c2s_national') }} as raw_cell
    on national.source_sha256 = raw_cell._source_sha256 and national.source_row = raw_cell._source_row
where figure.value is not null and national.source_row is not null

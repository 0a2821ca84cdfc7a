{#
    By which cells of a perimeter or code list each zone exists: an input of every figure of the zone. The list of
    communes also holds arrondissements and delegated communes, so that the cell of the type counts beside the code.
#}
with

code_cell as (
    select
        zone_level, zone_code, generation,
        source_dataset as dataset, source_sha256, source_member, source_row, source_column, zone_key as raw_value
    from {{ ref('dim_zone') }}
    where source_dataset is not null
),

type_cell as (
    select * replace ('TYPECOM' as source_column, 'COM' as raw_value)
    from code_cell
    where dataset = 'insee_cog_communes'
)

select * from code_cell
union all
select * from type_cell
order by zone_level, zone_code, generation, source_column

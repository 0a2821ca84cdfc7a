{#
    The cells that set the weights of a zone's crosswalk, besides contours: the published population of its QPV and the
    population of their IRIS, where inhabitants are spread by area; of the QPV that share these IRIS too, since several
    QPV never take more than the whole of one. A figure brought from IRIS depends on them through its weights.
#}
with

touching as (
    select distinct qpv_code, generation, iris_code
    from {{ ref('int_crosswalk__iris_qpv') }}
    where basis in ('population', 'area')
),

{# A QPV, itself included, and those that share an IRIS with it. #}
neighbour as (
    select distinct own.qpv_code, own.generation, other.qpv_code as neighbour_code
    from touching as own
    inner join touching as other using (iris_code, generation)
),

of_qpv as (
    select 'QPV' as zone_level, qpv_code as zone_code, generation, neighbour_code from neighbour
    union
    select member.zone_level, member.zone_code, member.generation, neighbour.neighbour_code
    from {{ ref('int_zones__comparaison') }} as member
    inner join touching using (iris_code, generation)
    inner join neighbour using (qpv_code, generation)
),

qpv_cell as (
    select
        of_qpv.zone_level, of_qpv.zone_code, of_qpv.generation,
        qpv.population_dataset as dataset,
        qpv.population_sha256 as source_sha256,
        qpv.population_member as source_member,
        qpv.population_row as source_row,
        qpv.population_column as source_column,
        qpv.population_text as raw_value
    from of_qpv
    inner join {{ ref('int_zones__qpv') }} as qpv
        on of_qpv.neighbour_code = qpv.qpv_code and of_qpv.generation = qpv.generation
    where qpv.population_row is not null
),

iris_cell as (
    select
        of_qpv.zone_level, of_qpv.zone_code, of_qpv.generation,
        'insee_iris_synthese' as dataset,
        iris.population_sha256,
        iris.population_member,
        iris.population_row,
        'P22_POP' as source_column,
        iris.population_text
    from of_qpv
    inner join touching on of_qpv.neighbour_code = touching.qpv_code and of_qpv.generation = touching.generation
    inner join {{ ref('int_zones__iris') }} as iris using (iris_code)
    where iris.population_row is not null
),

cell as (
    select * from qpv_cell
    union
    select * from iris_cell
)

select cell.*
from cell
semi join {{ ref('dim_zone') }} using (zone_level, zone_code, generation)
order by all

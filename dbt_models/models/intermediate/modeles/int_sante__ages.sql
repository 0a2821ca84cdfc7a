{#
    Persons covered by sex and age in each zone. An IRIS keeps its masked cells, which the model fills; a zone is the sum
    of its IRIS, masked cells filled in the same way: an even share of what the IRIS's total leaves.
#}
with

cell as (
    select * from {{ ref('stg_ors__sante_ages') }}
    where zone_level = 'IRIS'
),

total as (
    select zone_code, vintage, {{ nombre('"n_beneficiaires"') }} as covered
    from {{ ref('stg_ors__sante_iris') }}
),

filled as (
    select
        cell.zone_code as iris_code,
        cell.vintage,
        cell.sex,
        cell.age,
        coalesce(
            cell.covered,
            greatest(0, total.covered - sum(cell.covered) over iris)
            / nullif(count(*) filter (where cell.covered is null) over iris, 0)
        ) as covered
    from cell
    left join total using (zone_code, vintage)
    window iris as (partition by cell.zone_code, cell.vintage)
)

select 'IRIS' as zone_level, zone_code, 'COG' as generation, vintage, sex, age, covered
from cell
union all
select
    link.to_level,
    link.to_code,
    link.to_generation,
    filled.vintage,
    filled.sex,
    filled.age,
    sum(link.weight * filled.covered order by filled.iris_code)
from filled
inner join {{ ref('crosswalk') }} as link
    on link.from_level = 'IRIS' and filled.iris_code = link.from_code
group by all

{#
    Persons covered by sex and age in each zone, beside each kind of case: an IRIS whose cases are masked counts for
    neither. An IRIS keeps its masked cells, which the model fills; a zone is the sum of its IRIS, masked cells filled
    in the same way: an even share of what the IRIS's total leaves.
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
),

counted as (
    select zone_code as iris_code, vintage, component
    from {{ ref('int_sante__cas') }}
    where zone_level = 'IRIS' and observed is not null and beneficiaries is not null
)

select
    'IRIS' as zone_level, cell.zone_code, 'COG' as generation, cell.vintage, counted.component,
    cell.sex, cell.age, cell.covered
from cell
inner join counted on cell.zone_code = counted.iris_code and cell.vintage = counted.vintage
union all
select
    link.to_level,
    link.to_code,
    link.to_generation,
    filled.vintage,
    counted.component,
    filled.sex,
    filled.age,
    sum(link.weight * filled.covered order by filled.iris_code)
from filled
inner join counted using (iris_code, vintage)
inner join {{ ref('crosswalk') }} as link
    on link.from_level = 'IRIS' and filled.iris_code = link.from_code
group by all

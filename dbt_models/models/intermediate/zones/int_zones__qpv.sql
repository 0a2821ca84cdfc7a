with

qpv as (
    select
        qpv_code, generation, qpv_name, departement_code,
        'anct_qpv_2015' as source_dataset, source_sha256, source_member, source_row,
        'CODE_QP' as source_column, zone_key
    from {{ ref('stg_anct__qpv_2015') }}
    union all
    select
        qpv_code, generation, qpv_name, departement_code,
        'anct_qpv_2024' as source_dataset, source_sha256, source_member, source_row,
        'code_qp' as source_column, zone_key
    from {{ ref('stg_anct__qpv_2024') }}
),

membership as (
    select
        link.qpv_code,
        link.generation,
        {# Two names of 2015 may be one commune today. #}
        list(distinct link.commune_code order by link.commune_code) filter (where link.commune_code is not null)
            as communes,
        {# An EPCI is given only when every commune of the QPV lies in it. #}
        case
            when count(distinct commune.epci_code) = 1 and bool_and(commune.epci_code is not null)
                then min(commune.epci_code)
        end as epci_code
    from {{ ref('int_zones__qpv_communes') }} as link
    left join {{ ref('int_zones__communes') }} as commune using (commune_code)
    group by link.qpv_code, link.generation
),

demography as (
    select
        zone_code as qpv_code, generation, vintage, {{ nombre('"POP_MUN"') }} as population_hab,
        'insee_demo' as population_dataset, 'POP_MUN' as population_column, "POP_MUN" as population_text,
        _source_sha256 as population_sha256, _source_member as population_member, _source_row as population_row
    from {{ ref('stg_insee__demo') }}
    where zone_level = 'QPV'
    union all
    select
        zone_code, generation, vintage, {{ nombre('"popMuniQPV"') }},
        'anct_analyse_qpv', 'popMuniQPV', "popMuniQPV",
        _source_sha256, _source_member, _source_row
    from {{ ref('stg_anct__analyse_qpv') }}
),

latest_population as (
    select * exclude (vintage)
    from demography
    where population_hab is not null
    qualify row_number() over (partition by qpv_code, generation order by vintage desc) = 1
)

select
    qpv.qpv_code,
    qpv.generation,
    qpv.qpv_name,
    membership.communes,
    membership.epci_code,
    qpv.departement_code,
    departement.region_code,
    latest_population.population_hab,
    latest_population.population_dataset,
    latest_population.population_column,
    latest_population.population_text,
    latest_population.population_sha256,
    latest_population.population_member,
    latest_population.population_row,
    qpv.source_dataset,
    qpv.source_sha256,
    qpv.source_member,
    qpv.source_row,
    qpv.source_column,
    qpv.zone_key
from qpv
left join membership using (qpv_code, generation)
left join {{ ref('stg_insee__cog_departements') }} as departement using (departement_code)
left join latest_population using (qpv_code, generation)

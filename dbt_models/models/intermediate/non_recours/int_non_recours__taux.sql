{#
    Counts of C2S beneficiaries that non-take-up starts from, with the persons covered: `total`; `np` and `p`, without
    and with participation; `j` and `s`, without participation, under 18 and 60 and over. One row per zone, edition and
    measure: a count that an edition does not give is `non_couvert`. Editions of the CMU-C are another series, and have
    their rows without counts.

    A count brought from IRIS to a QPV, or to what QPV leave, is drawn towards the surroundings: it is set back by the
    errors measured on variables whose truth is published (`int_crosswalk__intervalles`), and carries what they leave as a
    relative error. Communes and EPCI are whole IRIS; where these leave out more than one inhabitant in twenty, those of
    smaller communes that have none, the count does not speak of the zone.
#}
with

measure as (
    {% for mesure, codes in [
        ('total', ['C2S_TX', 'C_TX_C2S']), ('np', ['A_C2SNP']), ('p', ['C_TX_P']), ('j', ['C_TX_NP_J']),
        ('s', ['C_TX_NP_S'])
    ] %}
        {% for code in codes %}
            select '{{ mesure }}' as mesure, '{{ code }}' as indicator_code
            {{ 'union all' if not loop.last }}
        {% endfor %}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

figure as (
    select
        indicator_code, zone_level, zone_code, generation, vintage, numerator, denominator,
        cast(null as double) as relative_error,
        status, dataset
    from {{ ref('int_indicateurs__couverture') }}
    union all
    select
        brought.indicator_code,
        {{ cle_zone('brought') }},
        brought.vintage,
        case
            when brought.coverage < 0.95 and brought.zone_level in ('COM', 'EPCI') then null
            when bounds.ci_low is null then brought.numerator
            else (bounds.ci_low + bounds.ci_high) / 200 * brought.denominator
        end,
        brought.denominator,
        (bounds.ci_high - bounds.ci_low) / 3.29 / nullif((bounds.ci_low + bounds.ci_high) / 2, 0),
        case
            when brought.coverage < 0.95 and brought.zone_level in ('COM', 'EPCI') then 'non_couvert'
            else brought.status
        end,
        brought.dataset
    from {{ ref('int_indicateurs__sante_crosswalk') }} as brought
    left join {{ ref('int_crosswalk__intervalles') }} as bounds
        using (indicator_code, zone_level, zone_code, generation, vintage)
    {# Communes none of whose IRIS is in the file have no figure, and no estimate. #}
    where brought.dataset is not null
    union all
    select indicator_code, zone_level, zone_code, generation, vintage, null, null, null, status, dataset
    from {{ ref('int_indicateurs__absents') }}
),

counted as (
    select
        measure.mesure,
        figure.indicator_code,
        {{ cle_zone('figure') }},
        figure.vintage,
        figure.numerator as beneficiaires,
        figure.denominator as couverts,
        figure.relative_error as erreur_relative,
        figure.status,
        figure.dataset,
        'c2s' as serie
    from figure
    inner join measure using (indicator_code)
    where figure.zone_level in ('QPV', 'HQPV', 'COM', 'EPCI')
),

cmuc as (
    select
        'total' as mesure,
        indicator_code,
        {{ cle_zone() }},
        vintage,
        null as beneficiaires,
        null as couverts,
        null as erreur_relative,
        'non_couvert' as status,
        dataset,
        'cmuc' as serie
    from figure
    where indicator_code = 'CMUC_NB' and zone_level = 'QPV'
),

told as (
    select * from counted
    union all
    select * from cmuc
),

known as (
    select * from told
    {# Where an edition has both, the producer's own count comes before one brought from IRIS. #}
    qualify row_number() over (
        partition by mesure, zone_level, zone_code, generation, vintage
        order by indicator_code = 'C2S_TX' desc
    ) = 1
),

expected as (
    select distinct
        {{ cle_zone('edition') }},
        edition.vintage,
        edition.serie,
        measure.mesure
    from known as edition
    cross join measure
    where edition.mesure = 'total'
)

select
    {{ cle_zone('expected') }},
    expected.vintage,
    expected.serie,
    expected.mesure,
    known.indicator_code,
    known.beneficiaires,
    known.couverts,
    known.erreur_relative,
    coalesce(known.status, 'non_couvert') as status,
    coalesce(
        known.dataset,
        min(known.dataset) over (
            partition by expected.zone_level, expected.zone_code, expected.generation, expected.vintage
        )
    ) as dataset
from expected
left join known
    on
        expected.zone_level = known.zone_level
        and expected.zone_code = known.zone_code
        and expected.generation = known.generation
        and expected.vintage = known.vintage
        and expected.mesure = known.mesure

{#
    National beneficiaries and non-take-up: from a file of the producer where one was received, else as published, from
    the seed, with its citation. Not one measure of one edition comes from both.
#}
with

received as (
    select
        vintage,
        mesure,
        beneficiaires,
        non_recours,
        population,
        source as citation,
        source_sha256,
        source_member,
        source_row
    from {{ ref('stg_drees__c2s_national') }}
)

select * from received
union all
select
    vintage,
    mesure,
    beneficiaires,
    non_recours,
    population,
    citation,
    null,
    null,
    null
from {{ ref('c2s_national') }}
where vintage not in (select received.vintage from received)

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
union all by name
select published.*
from {{ ref('c2s_national') }} as published
anti join received using (vintage)

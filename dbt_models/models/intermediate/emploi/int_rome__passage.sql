{#
    From any ROME code to one of version 3, the version in which demand is counted. A code of version 4 goes to its
    parent. A code that its own version does not know is looked for in the other: producers date their lists badly.
#}
with

rome as (
    select
        code_rome,
        {{ version_rome('rome_version') }} as version,
        code_parent_v3
    from {{ ref('stg_francetravail__rome') }}
),

known as (
    select code_rome, version, if(version = '4', code_parent_v3, code_rome) as code_rome_v3
    from rome
),

read_as as (
    select '3' as read_version
    union all
    select '4'
)

select
    known.code_rome,
    read_as.read_version as version,
    known.code_rome_v3
from known
cross join read_as
where known.code_rome_v3 is not null
qualify row_number() over (
    partition by known.code_rome, read_as.read_version
    order by known.version = read_as.read_version desc, known.code_rome_v3
) = 1

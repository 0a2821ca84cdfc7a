{# Label link between generations, one row per QN2024 and parent; it is no table of weights. #}
with

correspondence as (
    select * from {{ source('raw', 'anct_qpv_correspondance') }}
)

{% for rank in (1, 2, 3) %}
    select
        trim("QP2024") as qn2024_code,
        trim("Statut") as statut,
        {{ rank }} as parent_rank,
        nullif(trim("QP2015_{{ rank }}"), '') as qp2015_code,
        _source_sha256 as source_sha256,
        _source_row as source_row
    from correspondence
    {{ "where nullif(trim(\"QP2015_" ~ rank ~ "\"), '') is not null" if rank > 1 }}
    {{ 'union all' if not loop.last }}
{% endfor %}

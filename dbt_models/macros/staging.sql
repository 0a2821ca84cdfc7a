{#
    Staging of a statistical table: one row per zone and edition, keys under our names, every cell kept as the
    producer wrote it under its source name, so that a figure can be walked back to its column.
    The total row ("Ensemble") becomes the zone level ENSQPV. `_zone_key` is the zone's code as the producer wrote it.
#}
{% macro staging_table_qpv(table, key) -%}
{%- set code = '"' ~ key ~ '"' -%}
select
    case when upper(trim({{ code }})) = 'ENSEMBLE' then 'ENSQPV' else 'QPV' end as zone_level,
    case when upper(trim({{ code }})) = 'ENSEMBLE' then 'ENSEMBLE' else trim({{ code }}) end as zone_code,
    'QP2015' as generation,
    _vintage as vintage,
    {{ code }} as _zone_key,
    * exclude (_vintage, {{ code }})
from {{ source('raw', table) }}
{%- endmacro %}

{# Zones other than QPV, or what zones are made of; without a key, the file speaks of a single zone. #}
{% macro staging_table_administrative(table, zone_level, key=none) -%}
{%- set code = '"' ~ key ~ '"' if key else "'" ~ zone_level ~ "'" -%}
select
    '{{ zone_level }}' as zone_level,
    {{ code }} as zone_code,
    'COG' as generation,
    _vintage as vintage,
    {{ code }} as _zone_key,
    * exclude (_vintage)
from {{ source('raw', table) }}
{%- endmacro %}

{# Financed posts, by contrat de ville: not a QPV figure. `id_poste` repeats within a year in the source. #}
{% macro staging_postes(table) -%}
select
    _vintage as vintage,
    id_poste as post_id,
    raison_sociale as employer_name,
    try_cast(annee as integer) as year,
    try_cast(montant as double) as amount_eur,
    nullif(code_cv, '') as contrat_de_ville_code,
    nullif(insee_dep, '') as departement_code,
    nullif(insee_reg, '') as region_code,
    _source_sha256 as source_sha256,
    _source_row as source_row
from {{ source('raw', table) }}
{%- endmacro %}

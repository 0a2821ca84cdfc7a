{# ROME as offers and files name it ("v3", "347", "4.0"): 4, or 3 where nothing says otherwise. #}
{% macro version_rome(texte) -%}
    case when regexp_extract({{ texte }}, '\d') = '4' then '4' else '3' end
{%- endmacro %}

{# A job's title reduced to what two boards write alike: no accent, no case, no "H/F". #}
{% macro cle_titre(texte) -%}
    trim(regexp_replace({{ cle_nom(texte) }}, '(^| )((h f|f h|hf|fh)( |$))+', ' ', 'g'))
{%- endmacro %}

{# Département of a commune code: three characters overseas, two elsewhere (2A and 2B among them). #}
{% macro departement_de_commune(code) -%}
    left({{ code }}, if(left({{ code }}, 2) = '97', 3, 2))
{%- endmacro %}

{# What names a zone in every table of access to jobs. #}
{% macro cle_zone(table=none) -%}
    {%- set prefixe = table ~ '.' if table else '' -%}
    {{ prefixe }}zone_level, {{ prefixe }}zone_code, {{ prefixe }}generation
{%- endmacro %}

{#
    A sum that does not depend on the order of its terms, hence the same at each run, without sorting millions of rows:
    terms are rounded (by default to a millionth: a millimetre, for a kilometre) and added as decimals.
#}
{% macro somme_exacte(terme, filtre=none, decimales=6) -%}
    cast(
        sum(cast({{ terme }} as decimal(18, {{ decimales }})))
        {%- if filtre %} filter (where {{ filtre }}){% endif %} as double
    )
{%- endmacro %}

{# The edition of an offer: the year of its creation, else that of its file. #}
{% macro edition_offre() -%}
    coalesce(strftime(try_cast(received.date_creation as date), '%Y'), left(cast(received.vintage as varchar), 4))
{%- endmacro %}

{#
    The scale on which errors of downscaling are pooled: log-odds for percentages, logarithm for counts, so that an
    error of a variable speaks for another of a different level. Half a point (or half a unit) keeps both ends finite.
#}
{% macro echelle_erreur(valeur, nature) -%}
    case {{ nature }}
        when 'rate' then ln((greatest(0, least(100, {{ valeur }})) + 0.5) / (100.5 - greatest(0, least(100, {{ valeur }}))))
        else ln(greatest(0, {{ valeur }}) + 0.5)
    end
{%- endmacro %}

{# Back from that scale. #}
{% macro depuis_echelle(valeur, nature) -%}
    case {{ nature }}
        when 'rate' then greatest(0, least(100, 101 / (1 + exp(-({{ valeur }}))) - 0.5))
        else greatest(0, exp({{ valeur }}) - 0.5)
    end
{%- endmacro %}

{# How well the units render a zone, in three classes. #}
{% macro classe_de_couverture(coverage) -%}
    case
        when {{ coverage }} >= {{ var('couverture_pleine') }} then 'forte'
        when {{ coverage }} >= {{ var('couverture_minimale') }} then 'partielle'
        else 'faible'
    end
{%- endmacro %}

{#
    Empirical 5 % and 95 % quantiles of a list, widened for its size so that the next error falls between them nine
    times in ten (split conformal prediction: rank ⌈0.95 (n + 1)⌉).
#}
{% macro quantile_bas(liste) -%}
    list_sort({{ liste }})[greatest(1, cast(floor(0.05 * (len({{ liste }}) + 1)) as integer))]
{%- endmacro %}

{% macro quantile_haut(liste) -%}
    list_sort({{ liste }})[least(len({{ liste }}), cast(ceil(0.95 * (len({{ liste }}) + 1)) as integer))]
{%- endmacro %}

{#
    The scale on which errors of downscaling are pooled: log-odds for percentages, logarithm for counts, so that an
    error of a variable speaks for another of a different level. Two points (or half a unit) keep both ends finite, and an error next to them small.
#}
{% macro echelle_erreur(valeur, nature) -%}
    case {{ nature }}
        when 'rate' then ln((greatest(0, least(100, {{ valeur }})) + 2) / (102 - greatest(0, least(100, {{ valeur }}))))
        else ln(greatest(0, {{ valeur }}) + 0.5)
    end
{%- endmacro %}

{# Back from that scale. #}
{% macro depuis_echelle(valeur, nature) -%}
    case {{ nature }}
        when 'rate' then greatest(0, least(100, 104 / (1 + exp(-({{ valeur }}))) - 2))
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

{# The size that nine errors in ten do not pass, whichever way they go. #}
{% macro quantile_taille(liste) -%}
    list_sort({{ liste }})[least(len({{ liste }}), cast(ceil(0.9 * (len({{ liste }}) + 1)) as integer))]
{%- endmacro %}

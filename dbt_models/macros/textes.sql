{# A number as French producers write it: blanks (space, U+00A0, U+202F) between thousands, decimal comma. #}
{% macro nombre(texte) -%}
    try_cast(replace(translate({{ texte }}, ' ' || chr(160) || chr(8239), ''), ',', '.') as double)
{%- endmacro %}

{# A name reduced to what survives spelling habits: no accent, case, ligature, hyphen, apostrophe. #}
{% macro cle_nom(texte) -%}
    trim(regexp_replace(
        replace(replace(strip_accents(lower({{ texte }})), 'œ', 'oe'), 'æ', 'ae'), '[^a-z0-9]+', ' ', 'g'
    ))
{%- endmacro %}

{# Département of a QPV code: characters 3 to 5, less one leading zero (never characters 4 and 5). #}
{% macro departement_de_qpv(code) -%}
    regexp_replace(substr({{ code }}, 3, 3), '^0', '')
{%- endmacro %}

{# Codes that lost leading zeros ("1053" for "01053"), where a declared correction says so; otherwise as they are. #}
{% macro cellule_completee(dataset, column) -%}
    lpad("{{ column }}", cast(coalesce((
        select max(correction.width)
        from {{ source('derived', 'corrections') }} as correction
        where
            correction.dataset = '{{ dataset }}'
            and correction.source_column = '{{ column }}'
            and correction.action = 'pad'
    ), length("{{ column }}")) as integer), '0')
{%- endmacro %}

{# A commune code that a spreadsheet read as a number: "6152.0" for 06152; empty stays empty. #}
{% macro code_lu_comme_nombre(texte) -%}
    case when {{ texte }} != '' then lpad(regexp_replace({{ texte }}, '\.0$', ''), 5, '0') end
{%- endmacro %}

{# Decimal degrees within bounds; null where the text is none. #}
{% macro degres(texte, borne) -%}
    case when abs(try_cast({{ texte }} as double)) <= {{ borne }} then try_cast({{ texte }} as double) end
{%- endmacro %}

{# Written by `make generate` from the seeds and staging.yml; what the lists hold is said in scripts/generate.py. #}
{% macro themes(kind) -%}
{{ return({
    'all': ['population', 'revenus', 'couverture', 'emploi', 'sante', 'acces_emploi', 'mobilite', 'non_recours'],
    'formula': ['population', 'revenus', 'couverture', 'emploi', 'sante'],
    'crossed': ['sante'],
    'modelled': ['acces_emploi', 'mobilite', 'non_recours'],
}[kind]) }}
{%- endmacro %}

{% macro tables_statistiques() -%}
{{ return({
    'insee_demo': {'staging': 'stg_insee__demo', 'key': 'CODGEO', 'units': false},
    'insee_demo_plat': {'staging': 'stg_insee__demo_plat', 'key': 'CODGEO', 'units': false},
    'insee_revn': {'staging': 'stg_insee__revn', 'key': 'CODGEO', 'units': false},
    'insee_ipro': {'staging': 'stg_insee__ipro', 'key': 'CODGEO', 'units': false},
    'insee_filosofi_qpv': {'staging': 'stg_insee__filosofi_qpv', 'key': 'CODGEO', 'units': false},
    'insee_filosofi_com': {'staging': 'stg_insee__filosofi_com', 'key': 'CODGEO', 'units': false},
    'insee_filosofi_epci': {'staging': 'stg_insee__filosofi_epci', 'key': 'CODGEO', 'units': false},
    'insee_filosofi_dep': {'staging': 'stg_insee__filosofi_dep', 'key': 'CODGEO', 'units': false},
    'insee_filosofi_reg': {'staging': 'stg_insee__filosofi_reg', 'key': 'CODGEO', 'units': false},
    'insee_filosofi_metropole': {'staging': 'stg_insee__filosofi_metropole', 'key': none, 'units': false},
    'insee_populations_communes': {'staging': 'stg_insee__populations_communes', 'key': 'COM', 'units': false},
    'anct_analyse_qpv': {'staging': 'stg_anct__analyse_qpv', 'key': 'codeQPV', 'units': false},
    'insee_iris_synthese': {'staging': 'stg_insee__iris_synthese', 'key': 'code', 'units': false},
    'insee_filosofi_iris': {'staging': 'stg_insee__filosofi_iris', 'key': 'IRIS', 'units': false},
    'insee_caf_iris': {'staging': 'stg_insee__caf_iris', 'key': 'CODGEO', 'units': false},
    'insee_cnam_iris': {'staging': 'stg_insee__cnam_iris', 'key': 'CODGEO', 'units': false},
    'ors_sante_iris': {'staging': 'stg_ors__sante_iris', 'key': 'code', 'units': false},
    'insee_filosofi_carreaux': {'staging': 'stg_insee__filosofi_carreaux', 'key': 'idcar_200m', 'units': true},
    'cstb_bdnb_logements': {'staging': 'stg_cstb__bdnb_logements', 'key': 'batiment_groupe_id', 'units': true},
}) }}
{%- endmacro %}

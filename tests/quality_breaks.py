"""How to break each expectation: the SQL that turns a sound table into one that the expectation must refuse.

A rule on a source column is broken according to its type; a rule on a derived column has its own line here, by
`suite/id` or, where several suites share it, by `id`. A new expectation without either fails the test that lists them.
"""

from __future__ import annotations

from dagster_project.quality.suites import Expectation, Suite

_FILOSOFI = {
    "nombres-lisibles": "update t set Q219 = 'c. 21000' where _vintage = '2019'",
    "niveau-de-vie-plausible": "update t set Q219 = '219000' where _vintage = '2019'",
    "niveau-de-vie-par-edition": "update t set Q219 = '9000' where _vintage = '2019'",
    "niveau-de-vie-renseigne": "update t set Q219 = ''",
    "deciles-croissants": "update t set D119 = '90000', D919 = '95000', Q219 = '21000' where _vintage = '2019'",
    "gini-plausible": "update t set GI19 = '29,4' where _vintage = '2019'",
    "rapport-interdecile-coherent": "update t set RD = '34' where _vintage = '2019'",
    "parts-du-revenu-a-100": "update t set PACT19 = '7,35' where _vintage = '2019'",
    "personnes-et-menages": "update t set NBPERS19 = '1' where _vintage = '2019'",
}
_TILES = {
    "nombres-lisibles": "update t set men = 'c. 40'",
    "effectifs-positifs": "update t set ind = '-3'",
    "menages-pauvres-parmi-les-menages": "update t set men_pauv = '999999'",
    "individus-au-moins-les-menages": "update t set ind = '0.5'",
}
_DEMO = {
    "nombres-lisibles": "update t set POP_MUN = '2 O61' where _vintage = '2021'",
    "population-plausible": "update t set POP_MUN = '12' where _vintage = '2021'",
    "population-mediane-par-edition": "update t set POP_MUN = '20 610' where _vintage = '2021'",
    "population-stable": "update t set POP_MUN = POP_MUN || '0' where _vintage = '2021'",
    "taux-entre-0-et-100": "update t set TX_F = '526' where _vintage = '2021'",
    "part-des-jeunes-par-edition": "update t set TX_TOT_0A24 = '3,9' where _vintage = '2021'",
    "quartier-dans-sa-commune": "update t set POP_COM = '12' where _vintage = '2021'",
    "allocataires-parmi-les-couverts": "update t set A = '999999' where _vintage = '2021'",
    "ages-des-enfants": "update t set ENF_3_5 = '9999' where _vintage = '2021'",
    "total-egal-a-la-somme": "delete from t where CODGEO like 'QP%1'",
}


def _value(indicator: str, value: float, level: str = "QPV") -> str:
    return f"update t set value = {value} where indicator_code = '{indicator}' and zone_level = '{level}'"


PART_CAR = "Part des actifs occ 15 ans ou plus voiture pour travailler 2021"
PART_TRANSIT = "Part des actifs occupés de 15 ans ou plus  les transports en commun 2021"

BREAKS: dict[str, str] = {
    **{
        f"insee_filosofi_{level}/{rule}": sql
        for level in ("com", "epci", "dep", "reg", "metropole")
        for rule, sql in _FILOSOFI.items()
    },
    **{f"{table}/{rule}": sql for table in ("insee_demo", "insee_demo_plat") for rule, sql in _DEMO.items()},
    **{f"insee_filosofi_{mesh}/{rule}": sql for mesh in ("carreaux", "carreaux_nat") for rule, sql in _TILES.items()},
    "insee_filosofi_carreaux_nat/onze-menages-au-moins": "update t set men = '10'",
    "insee_filosofi_carreaux_nat/maille-de-l-identifiant": "update t set tmaille = '250'",
    "ign_contours_iris/commune-de-l-iris": "update t set code_commune = '72181'",
    "ign_contours_iris/nombres-lisibles": "update t set population = '2 061,5'",
    "insee_iris_synthese/commune-de-l-iris": "update t set COM = '72181'",
    "insee_iris_synthese/nombres-lisibles": "update t set P22_POP = '2 061,5'",
    "insee_iris_synthese/parts-entre-0-et-100": "update t set dm_imm_pct_22 = '207'",
    "insee_iris_synthese/effectifs-positifs": "update t set P22_POP = '-1'",
    "insee_iris_synthese/niveau-de-vie-plausible": "update t set rev_disp_med_21 = '2336'",
    "insee_iris_reference/commune-de-l-iris": "update t set DEPCOM = '72181'",
    "insee_iris_reference/commune-non-decoupee": "update t set TYP_IRIS = if(TYP_IRIS = 'Z', 'H', 'Z')",
    "insee_filosofi_iris/commune-de-l-iris": "update t set COM = '72181'",
    "insee_filosofi_iris/nombres-lisibles": "update t set DISP_MED19 = 'c. 21000' where _vintage = '2019'",
    "insee_filosofi_iris/taux-de-pauvrete-entre-0-et-100": "update t set DISP_TP6019 = '205' where _vintage = '2019'",
    "insee_filosofi_iris/niveau-de-vie-plausible": "update t set DISP_MED19 = '1940' where _vintage = '2019'",
    "insee_filosofi_iris/niveau-de-vie-par-edition": "update t set DISP_MED19 = '9000' where _vintage = '2019'",
    "insee_filosofi_iris/deciles-croissants": (
        "update t set DISP_D119 = '90000', DISP_MED19 = '21000' where _vintage = '2019'"
    ),
    "insee_filosofi_iris/gini-entre-0-et-1": "update t set DISP_GI19 = '24,1' where _vintage = '2019'",
    "insee_filosofi_iris/notes-connues": "update t set DISP_NOTE19 = '9' where _vintage = '2019'",
    "insee_caf_iris/nombres-lisibles": "update t set A = '<5' where _vintage = '2020'",
    "insee_caf_iris/effectifs-positifs": "update t set A = '-1'",
    "insee_caf_iris/ligne-non-diffusee-vide": "update t set NOTE = '3', A = '120'",
    "insee_caf_iris/personnes-couvertes-au-moins-les-allocataires": "update t set A = '999999', PERCOU = '120'",
    "insee_caf_iris/rsa-parmi-les-allocataires": "update t set A = '120', ARSAS = '999999'",
    "insee_caf_iris/monoparents-parmi-les-allocataires": "update t set A = '120', AM = '999999'",
    "insee_cnam_iris/nombres-lisibles": "update t set C = 'nd'",
    "insee_cnam_iris/beneficiaires-parmi-les-couverts": "update t set C = '100', C_C2SNP = '80', C_C2SP = '30'",
    "insee_cnam_iris/ages-parmi-les-beneficiaires": "update t set C_C2SNP = '80', C_17_C2SNP = '81'",
    "cnam_pathologies/nombres-lisibles": "update t set Ntop = '1 200'",
    "cnam_pathologies/prevalence-entre-0-et-100": "update t set prev = '101'",
    "cnam_pathologies/patients-parmi-la-population": "update t set Npop = '10', Ntop = '20'",
    "drees_c2s_national/nombres-lisibles": "update t set beneficiaires = '7,1 M'",
    "drees_c2s_national/non-recours-entre-0-et-100": "update t set non_recours_pct = '144'",
    "drees_c2s_national/beneficiaires-parmi-la-population": "update t set beneficiaires = '200', population = '100'",
    "cstb_bdnb_logements/nombres-lisibles": "update t set nb_log = 'douze'",
    "cstb_bdnb_logements/logements-positifs": "update t set nb_log = '-1'",
    "cstb_bdnb_logements/abscisse-en-lambert-93": "update t set x = '3460000'",
    "cstb_bdnb_logements/ordonnee-en-lambert-93": "update t set y = '48.3'",
    "ors_sante_iris/code-iris-bien-forme": "update t set code = '10010101' where niveau = 'IRIS'",
    **{
        f"ors_sante_iris/{count}-parmi-les-beneficiaires": f"update t set n_beneficiaires = '20', n_{count} = '21'"
        for count in ("asthme", "diabete", "ald")
    },
    "francetravail_offres/commune-bien-formee": 'update t set lieuTravail = \'{"commune": "6152"}\'',
    "francetravail_offres/latitude-francaise": "update t set lieuTravail = '{\"latitude\": 148.1}'",
    "francetravail_offres/postes-plausibles": "update t set nombrePostes = '0'",
    "francetravail_offres_plat/latitude-francaise": "update t set latitude = '148.1'",
    "francetravail_offres_plat/postes-plausibles": "update t set nombre_postes = '0'",
    "francetravail_marche/demandeurs-positifs": "update t set valeur = '-1'",
    "francetravail_bmo/nombres-lisibles": "update t set met = 'c. 40'",
    "francetravail_bmo/difficiles-parmi-les-projets": "update t set met = '10', xmet = '20'",
    "francetravail_bmo/saisonniers-parmi-les-projets": "update t set met = '10', smet = '20'",
    "francetravail_bassins/code-et-departement": "update t set dep = '72'",
    "partenaire_c2s_profils/beneficiaires-parmi-les-eligibles": (
        "update t set n_eligibles = '20', n_beneficiaires = '21'"
    ),
    "partenaire_offres/latitude-francaise": "update t set lat = '148.1'",
    "partenaire_offres/postes-plausibles": "update t set nb_postes = '0'",
    "taille-positive": "update t set octets = '0'",
    "insee_parts_modales/parts-entre-0-et-100": f"update t set \"{PART_CAR}\" = '101'",
    "insee_parts_modales/somme-des-parts": f"update t set \"{PART_CAR}\" = '90', \"{PART_TRANSIT}\" = '90'",
    "contour-non-vide": "update t set geometry_original = null",
    "annee-du-fichier": "update t set annee = '1999'",
    "montant-plausible": "update t set montant = '1987506'",
    "anct_adultes_relais/nombres-lisibles": "update t set montant = '19 875,06 €'",
    "anct_fonjep/nombres-lisibles": "update t set montant = '7 164 €'",
    "anct_analyse_qpv/repetitions-identiques": (
        "insert into t select * replace ('999' as \"popMuniQPV\", '01001' as \"COG\") from t limit 1"
    ),
    "anct_analyse_qpv/nombres-lisibles": "update t set \"indiceJeunesse\" = '1,2'",
    "anct_analyse_qpv/population-plausible": "update t set \"popMuniQPV\" = '12'",
    "anct_analyse_qpv/population-mediane-par-edition": "update t set \"popMuniQPV\" = '24460'",
    "anct_analyse_qpv/tailles-de-menages-a-100": "update t set \"partMen1p\" = '393'",
    "anct_analyse_qpv/taux-de-pauvrete-plausible": "update t set \"taux_pauvrete_60%\" = '4.3'",
    "anct_analyse_qpv/taux-d-emploi-plausible": "update t set taux_d_emploi = '4.67'",
    "anct_analyse_qpv/allocataires-parmi-les-couverts": "update t set \"allocataires_CAF\" = '9999999'",
    "anct_analyse_qpv/rsa-parmi-les-allocataires": "update t set \"RSA_socle\" = '9999999'",
    "anct_qpv_2015/commune-renseignee": "update t set \"COMMUNE_QP\" = ' '",
    "anct_qpv_2024/code-et-departement": "update t set insee_dep = '72'",
    "dgcl_epci/code-et-departement": "update t set dep_com = '72'",
    "dgcl_epci/nombre-de-membres": "delete from t where insee like '%1'",
    "dgcl_epci/population-de-l-epci": "update t set pmun_2024 = '1'",
    "dgcl_epci/population-municipale-et-totale": "update t set ptot_2024 = '0'",
    "dim_zone/code-conforme-au-niveau": "update t set zone_code = '1053' where zone_level = 'COM'",
    "dim_zone/generation-conforme-au-code": "update t set generation = 'QN2024' where generation = 'QP2015'",
    "dim_zone/departement-conforme-au-code": "update t set departement = '72' where zone_level = 'QPV'",
    "dim_zone/epci-bien-forme": "update t set epci = '20000' where zone_level = 'COM'",
    "dim_zone/population-plausible": "update t set population = 12 where zone_level = 'QPV'",
    "dim_zone/population-mediane-par-generation": "update t set population = population * 10",
    "dim_zone/commune-d-un-quartier-connue": "update t set communes = [] where zone_level = 'QPV'",
    "dim_zone/contour-non-vide": "update t set geometry = ''::blob where zone_level = 'QPV'",
    "indicator_value/taux-de-pauvrete-median": _value("REV_TP60", 4.5),
    "indicator_value/taux-de-pauvrete-minimum": _value("REV_TP60", 4.5),
    "indicator_value/taux-de-pauvrete-maximum": _value("REV_TP60", 450),
    "indicator_value/niveau-de-vie-median": _value("REV_MED", 131),
    "indicator_value/niveau-de-vie-minimum": _value("REV_MED", 1310),
    "indicator_value/niveau-de-vie-maximum": _value("REV_MED", 131000),
    "indicator_value/niveau-de-vie-des-communes": _value("FILO_MED", 2150, "COM"),
    "indicator_value/population-mediane": _value("DEM_POP", 20610),
    "indicator_value/population-maximum": _value("DEM_POP", 1e6),
    "indicator_value/taux-d-emploi-median": _value("EMP_TX", 4.5),
    "indicator_value/c2s-mediane": _value("C2S_TX", 2.7),
    "indicator_value/demandeurs-medians": _value("DE_ABC", 33),
    "indicator_value/part-des-jeunes-mediane": _value("DEM_MOINS25", 3.9),
    "indicator_value/gini-au-dessus-de-zero": _value("FILO_GINI", 0.0294),
    "indicator_value/gini-au-dessous-de-un": _value("FILO_GINI", 29.4),
    "indicator_value/rapports-au-moins-egaux-a-un": _value("REV_D9D1", 0.38),
    "indicator_value/effectifs-positifs": _value("DE_ABC", -1),
    "indicator_value/quantiles-croissants": _value("REV_Q1", 90000),
    "indicator_value/proportion-recalculee": "update t set numerator = 1 where indicator_code = 'C2S_TX'",
    "indicator_value/intervalle-bien-forme": "update t set ci_low = value + 2, ci_high = value + 1",
    "indicator_value/estimation-avec-intervalle": "update t set status = 'estime', ci_low = null",
    "indicator_value/couverture-entre-0-et-1": "update t set coverage = 100",
    "indicator_value/valeur-avec-couverture": "update t set coverage = null",
    "indicator_value/periode-de-reference-dite": "update t set reference_period = ''",
    "indicator_value/valeurs-presentes": "update t set value = null, status = 'nd'",
    "insee_cog_communes/code-et-departement": "update t set \"DEP\" = '72' where \"TYPECOM\" = 'COM'",
    "insee_cog_communes/parente-renseignee": "update t set \"COMPARENT\" = '', \"TYPECOM\" = 'COMD'",
    "insee_cog_departements/chef-lieu-dedans": "update t set \"CHEFLIEU\" = '72181'",
    "insee_cog_mouvements/date-plausible": "update t set \"DATE_EFF\" = '0201-01-01'",
    "insee_cog_mouvements/date-lisible": "update t set \"DATE_EFF\" = '2024-31-01'",
    "insee_filosofi_qpv/code-bien-forme": "update t set \"CODGEO\" = 'QP1001'",
    "insee_filosofi_qpv/nombres-lisibles": "update t set \"DISP_MED_A18\" = 's' where _vintage = '2018'",
    "insee_filosofi_qpv/taux-de-pauvrete-plausible": "update t set \"DISP_TP60_A18\" = '439' where _vintage = '2018'",
    "insee_filosofi_qpv/niveau-de-vie-renseigne": (
        "update t set \"DISP_MED_A18\" = '', disp_q2_a17 = '', disp_q2_a16 = ''"
    ),
    "insee_filosofi_qpv/niveau-de-vie-plausible": "update t set \"DISP_MED_A18\" = '138 500' where _vintage = '2018'",
    "insee_filosofi_qpv/niveau-de-vie-par-edition": "update t set \"DISP_MED_A18\" = '6 000' where _vintage = '2018'",
    "insee_filosofi_qpv/deciles-croissants": "update t set \"DISP_D1_A18\" = '39 000' where _vintage = '2018'",
    "insee_filosofi_qpv/gini-plausible": "update t set \"DISP_GINI_A18\" = '22,3' where _vintage = '2018'",
    "insee_filosofi_qpv/parts-du-revenu-a-100": "update t set \"DISP_PACT_A18\" = '5,8' where _vintage = '2018'",
    "insee_filosofi_qpv/notes-connues": "update t set \"DISP_NOTE_A18\" = '9' where _vintage = '2018'",
    "insee_ipro/nombres-lisibles": "update t set \"ABC\" = '<5' where _vintage = '2021'",
    "insee_ipro/taux-entre-0-et-100": "update t set \"TX_TOT_EMPL\" = '473' where _vintage = '2021'",
    "insee_ipro/taux-d-emploi-plausible": "update t set \"TX_TOT_EMPL\" = '4,73' where _vintage = '2021'",
    "insee_ipro/taux-d-emploi-par-edition": "update t set \"TX_TOT_EMPL\" = '12' where _vintage = '2021'",
    "insee_ipro/demandeurs-par-edition": "update t set \"ABC\" = '33' where _vintage = '2021'",
    "insee_ipro/demandeurs-stables": "update t set \"ABC\" = \"ABC\" || '0' where _vintage = '2021'",
    "insee_ipro/abc-parmi-abcde": "update t set \"ABCDE\" = '1'",
    "insee_ipro/a-parmi-abc": "update t set \"A\" = '999999'",
    "insee_ipro/femmes-et-hommes": "update t set \"ABC_F\" = '999999'",
    "insee_ipro/ages-des-demandeurs": "update t set \"ABC_50\" = '999999'",
    "insee_ipro/evolutions-plausibles": "update t set \"EVOL_ABC_T4\" = '-130'",
    "insee_populations_communes/nombres-lisibles": "update t set \"PMUN\" = 'N/A'",
    "insee_populations_communes/population-plausible": "update t set \"PMUN\" = '-1'",
    "insee_populations_communes/population-mediane": 'update t set "PMUN" = "PMUN" || \'00\'',
    "insee_populations_communes/total-coherent": "update t set \"PTOT\" = '1'",
    "insee_populations_communes/code-recompose": "update t set \"CODCOM\" = '999'",
    "insee_revn/nombres-lisibles": "update t set \"TP60\" = 'ns' where _vintage = '2021'",
    "insee_revn/taux-de-pauvrete-plausible": (
        "update t set \"TP60\" = '468' where _source_row = 4 and _vintage = '2021'"
    ),
    "insee_revn/taux-de-pauvrete-par-edition": "update t set \"TP60\" = '15' where _vintage = '2021'",
    "insee_revn/niveau-de-vie-plausible": "update t set \"DISP_Q2\" = '1 306'",
    "insee_revn/niveau-de-vie-par-edition": "update t set \"DISP_Q2\" = '30 000' where _vintage = '2021'",
    "insee_revn/quantiles-du-niveau-de-vie-croissants": "update t set \"DISP_D1\" = '39 000'",
    "insee_revn/quantiles-du-revenu-declare-croissants": "update t set \"DECUC_D1\" = '39 000'",
    "insee_revn/parts-du-revenu-a-100": "update t set \"PACT\" = '5,8'",
    "insee_revn/c2s-parmi-les-couverts": "update t set \"CC2S\" = '999999'",
    "insee_revn/rsa-parmi-les-allocataires": "update t set \"ARSAS\" = '9999999'",
    "insee_revn/allocataires-stables": "update t set \"A\" = \"A\" || '0' where _vintage = '2021'",
}

# Rules of scope `real` fail on the demonstration territory as it is; these make them pass there.
_FRANCE = {
    "insee_filosofi_metropole/population-de-la-metropole": (
        "update t set NBPERS18 = '62464556' where _vintage = '2018'; "
        "update t set NBPERS19 = '62973019' where _vintage = '2019'"
    ),
    "insee_populations_communes/population-de-la-france": (
        "update t set \"PMUN\" = '67408052' where _source_row = (select min(_source_row) from t); "
        "update t set \"PMUN\" = '0' where _source_row > (select min(_source_row) from t)"
    ),
    "insee_filosofi_qpv/quartiers-de-l-ouest-presents": "CODGEO",
    "insee_cog_communes/communes-de-l-ouest-presentes": "COM",
}


def breaking_sql(suite: Suite, rule: Expectation) -> str | None:
    """SQL on a table `t` that holds the sound rows; None when nobody said how to break this rule."""
    if rule.scope == "real":
        return "select 1"  # the demonstration territory is already without Rennes, Nantes and Brest
    if declared := BREAKS.get(f"{suite.name}/{rule.id}", BREAKS.get(rule.id)):
        return declared
    if any(column in suite.derive for column in rule.columns) or suite.query:
        return None
    if rule.type == "expect_compound_columns_to_be_unique":
        return "insert into t select * from t"
    empty = "" if rule.type == "expect_column_values_to_not_be_null" else "§\ufffd"
    return f"update t set \"{rule.columns[0]}\" = '{empty}'"


def sound_sql(suite: Suite, rule: Expectation) -> str:
    """SQL that makes the demonstration table satisfy the rule: nothing to do, but for rules of scope `real`."""
    if rule.scope != "real":
        return "select 1"
    column = _FRANCE.get(f"{suite.name}/{rule.id}", rule.columns[0])
    if " " in column:
        return column
    values = ", ".join(f"('{value}')" for value in rule.kwargs["value_set"])
    first = "(from t limit 1) as first"
    return f'insert into t select first.* replace (v as "{column}") from {first}, (values {values}) as x(v)'

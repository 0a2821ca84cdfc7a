{#
    The same offer on several boards: same ROME, same commune, titles alike, created a few days apart, and the same
    employer where both say it in the same way (two names, or two SIRET numbers: a name and a number cannot be compared).
    On one board an offer is published again under another number: everything else that the board says must then be
    the same, and the employer be known, for two posts of one firm may differ by no more than a word.
    Offers are only compared within a ROME and a commune. Groups are transitive and bear the name of their smallest
    offer: it is smaller than all its likes, so that only such offers need to set out to find their group.
#}
with recursive

candidate as (
    select
        vintage, offre_cle, source, code_rome, commune, lieu_id, titre_cle, employeur_cle, type_contrat, nb_postes,
        date_creation,
        regexp_full_match(employeur_cle, '\d{14}') as employeur_siret
    from {{ ref('int_offres__recues') }}
    where etat = 'ouverte' and code_rome is not null and commune is not null and date_creation is not null
),

alike as (
    select
        one.vintage,
        one.offre_cle,
        other.offre_cle as other_cle
    from candidate as one
    inner join candidate as other
        on
            one.vintage = other.vintage
            and one.code_rome = other.code_rome
            and one.commune = other.commune
            and one.offre_cle != other.offre_cle
    where
        abs(date_diff('day', one.date_creation, other.date_creation)) <= {{ var('doublon_jours') }}
        and (
            one.employeur_cle is null
            or other.employeur_cle is null
            or one.employeur_siret != other.employeur_siret
            or one.employeur_cle = other.employeur_cle
        )
        and jaro_winkler_similarity(one.titre_cle, other.titre_cle) >= {{ var('doublon_titre') }}
        and (
            one.source != other.source
            or (
                one.titre_cle = other.titre_cle
                and one.employeur_cle = other.employeur_cle
                and one.nb_postes = other.nb_postes
                and one.lieu_id is not distinct from other.lieu_id
                and one.type_contrat is not distinct from other.type_contrat
            )
        )
),

first_of_its_likes as (
    select vintage, offre_cle
    from alike
    group by vintage, offre_cle
    having offre_cle < min(other_cle)
),

reached as (
    select vintage, offre_cle as groupe_cle, offre_cle
    from first_of_its_likes
    union
    select reached.vintage, reached.groupe_cle, alike.other_cle
    from reached
    inner join alike on reached.vintage = alike.vintage and reached.offre_cle = alike.offre_cle
)

select vintage, offre_cle, min(groupe_cle) as groupe_cle
from reached
group by vintage, offre_cle

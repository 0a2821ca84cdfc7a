"""Occupations: real codes of the ROME, a public nomenclature, with short wordings of our own.

Version 3 counts 60 of its occupations; version 4 splits some of them, and each of its codes names its parent.
"""

from __future__ import annotations

from dataclasses import dataclass

from dagster_project.demo_territory.writers import words

# code of version 3 | what the work is | the person who does it
_V3 = """\
A1203|Soin des espaces verts|Agent / Agente d'espaces verts
C1503|Conduite de projets immobiliers|Chargé / Chargée de projet immobilier
D1101|Découpe et vente de viande|Boucher / Bouchère
D1102|Fabrication de pain|Boulanger / Boulangère
D1106|Vente d'aliments|Vendeur / Vendeuse en alimentation
D1401|Appui aux ventes|Assistant commercial / Assistante commerciale
D1502|Tenue d'un rayon alimentaire|Responsable de rayon alimentaire
D1505|Encaissement|Caissier / Caissière
D1507|Remplissage de rayons|Employé / Employée de rayon
F1602|Électricité des bâtiments|Électricien / Électricienne du bâtiment
F1603|Pose de sanitaires et de chauffage|Plombier-chauffagiste / Plombière-chauffagiste
F1606|Peinture des bâtiments|Peintre en bâtiment
F1607|Pose de menuiseries|Poseur / Poseuse de menuiseries
F1702|Travaux de routes|Ouvrier routier / Ouvrière routière
F1703|Maçonnerie courante|Maçon / Maçonne
F1704|Gros œuvre et terrassement|Manœuvre de chantier
G1201|Conduite de visites|Guide accompagnateur / Guide accompagnatrice
G1501|Service d'étages|Valet / Femme de chambre
G1601|Direction d'une cuisine|Chef / Cheffe de cuisine
G1602|Cuisine|Cuisinier / Cuisinière
G1603|Restauration polyvalente|Équipier / Équipière de restauration
G1605|Plonge|Plongeur / Plongeuse
G1703|Accueil d'hôtel|Réceptionniste d'hôtel
G1803|Service en salle|Serveur / Serveuse
H2102|Conduite de machines alimentaires|Conducteur / Conductrice de ligne alimentaire
H2903|Usinage|Opérateur / Opératrice d'usinage
H2913|Soudage à la main|Soudeur / Soudeuse
H3302|Tri et assemblage à la main|Agent / Agente de tri et d'assemblage
I1203|Entretien de locaux|Agent / Agente d'entretien du bâtiment
I1304|Maintenance industrielle|Technicien / Technicienne de maintenance
I1309|Maintenance électrique d'usine|Électromécanicien / Électromécanicienne
I1604|Réparation de voitures|Mécanicien / Mécanicienne automobile
J1301|Service hospitalier|Agent / Agente de service hospitalier
J1304|Aide aux tout-petits|Auxiliaire de puériculture
J1501|Soins de confort|Aide-soignant / Aide-soignante
J1506|Soins infirmiers|Infirmier / Infirmière
K1301|Accompagnement médico-social|Accompagnant médico-social / Accompagnante médico-sociale
K1302|Aide aux adultes|Auxiliaire de vie
K1303|Garde d'enfants|Assistant maternel / Assistante maternelle
K1304|Ménage chez des particuliers|Employé / Employée de maison
K1305|Intervention auprès des familles|Technicien / Technicienne d'intervention familiale
K2107|Enseignement en collège ou lycée|Enseignant / Enseignante du secondaire
K2111|Formation d'adultes|Formateur / Formatrice d'adultes
K2204|Nettoyage|Agent / Agente de nettoyage
K2503|Surveillance privée|Agent / Agente de sécurité
M1101|Achats d'entreprise|Acheteur / Acheteuse
M1203|Tenue des comptes|Comptable
M1402|Conseil aux entreprises|Consultant / Consultante en organisation
M1501|Appui aux ressources humaines|Assistant / Assistante RH
M1601|Accueil du public|Agent / Agente d'accueil
M1602|Travaux de bureau|Employé administratif / Employée administrative
M1607|Secrétariat courant|Secrétaire
M1805|Développement de logiciels|Développeur / Développeuse
M1810|Exploitation informatique|Technicien / Technicienne d'exploitation
N1101|Conduite de chariots|Cariste
N1103|Magasin et commandes|Préparateur / Préparatrice de commandes
N1105|Manutention|Manutentionnaire
N4101|Transport routier de fret|Conducteur routier / Conductrice routière
N4103|Conduite d'autobus|Conducteur / Conductrice de bus
N4105|Livraison|Livreur / Livreuse
"""
# code of version 4 | its parent | the person
_V4 = """\
A1208|A1203|Paysagiste de jardins
D1109|D1101|Responsable de boucherie
D1108|D1102|Responsable de boulangerie
D1110|D1106|Marchand ambulant / Marchande ambulante
D1409|D1401|Gestionnaire des ventes
F1628|F1602|Poseur / Poseuse de bornes de recharge
F1620|F1603|Monteur / Monteuse en climatisation
F1614|F1607|Fermeturier / Fermeturière
F1711|F1702|Ouvrier / Ouvrière de la voie ferrée
F1707|F1703|Bâtisseur / Bâtisseuse de murets
F1709|F1704|Ouvrier / Ouvrière de démolition
G1606|G1602|Cuisinier / Cuisinière pour collectivités
G1607|G1603|Équipier / Équipière de cantine
G1608|G1605|Préparateur / Préparatrice de coquillages
G1704|G1703|Employé / Employée aux réservations
H2104|H2102|Ouvrier fromager / Ouvrière fromagère
H2915|H2913|Responsable d'atelier de soudure
I1204|I1203|Agent / Agente des bassins de piscine
I1321|I1304|Dépanneur / Dépanneuse d'éoliennes
J1308|J1301|Conducteur / Conductrice de brancards
K1306|K1302|Accompagnant éducatif / Accompagnante éducative
K1307|K1303|Animateur / Animatrice auprès des tout-petits
K2205|K2204|Nettoyeur / Nettoyeuse de bureaux
K2504|K2503|Gardien / Gardienne de spectacles
M1213|M1203|Aide-comptable
M1614|M1601|Téléphoniste d'accueil
M1813|M1805|Intégrateur / Intégratrice de progiciels
M1816|M1810|Dépanneur / Dépanneuse réseaux
N1112|N1101|Responsable de caristes
N1110|N1103|Magasinier / Magasinière
N1106|N1105|Employé / Employée de quai
N4109|N4103|Chauffeur / Chauffeuse d'autocar
"""
SOUGHT = frozenset(words("K2204 N1103 G1602 K1304 D1507 D1505 N4105 F1703 K1302 N1105 K1303 G1603 H3302 M1602"))
WITHOUT_OFFER = frozenset(("C1503", "G1201", "K2107", "M1402"))  # sought, never offered
WEIGHT = 4.0  # of the most sought occupations, against 1
FOLDER = "jobs"


@dataclass(frozen=True)
class Occupation:
    """A code of version 4; `parent` is its code of version 3."""

    code: str
    parent: str
    person: str


V3 = tuple(tuple(line.split("|")) for line in _V3.splitlines())
CODES = tuple(code for code, *_ in V3)
V4 = tuple(
    sorted(
        (
            *(Occupation(code, code, person) for code, _, person in V3),
            *(Occupation(*line.split("|")) for line in _V4.splitlines()),
        ),
        key=lambda occupation: occupation.code,
    )
)


def files() -> dict[str, bytes]:
    """The three lists: version 3, its appellations, version 4."""
    old = [[code, str(rank), str(rank), label, "1"] for rank, (code, label, _) in enumerate(V3, start=1)]
    names = [
        [str(90_000 + rank), person, person, code, "1", "PRINCIPALE", "1"]
        for rank, (code, _, person) in enumerate(V3, start=1)
    ]
    new = [
        [one.code, str(rank), str(90_000 + rank), one.person, "Emploi Blanc", "N", "N", "N", "N", one.parent]
        for rank, one in enumerate(V4, start=1)
    ]
    return {
        f"{FOLDER}/unix_referentiel_code_rome_v347_utf8.csv": _quoted(
            ("code_rome", "code_fiche_em", "code_ogr", "libelle_rome", "statut"), [_doubled(row) for row in old]
        ),
        f"{FOLDER}/unix_referentiel_appellation_v347_utf8.csv": _quoted(
            (
                *("code_ogr", "libelle_appellation_long", "libelle_appellation_court", "code_rome"),
                *("code_type_section_appellation", "libelle_type_section_appellation", "statut"),
            ),
            [_doubled(row) for row in names],
        ),
        f"{FOLDER}/unix_referentiel_code_rome_v460_utf8.csv": _quoted(
            (
                *("code_rome", "code_fiche_metier", "code_ogr", "libelle_rome", "transition_eco", "transition_num"),
                *("transition_demo", "emploi_reglemente", "emploi_cadre", "code_rome_parent"),
            ),
            new,
        ),
    }


def _doubled(row: list[str]) -> list[str]:
    """Version 3 is published with its apostrophes doubled."""
    return [cell.replace("'", "''") for cell in row]


def _quoted(columns: tuple[str, ...], rows: list[list[str]]) -> bytes:
    lines = (",".join(f'"{cell}"' for cell in row) for row in (columns, *rows))
    return ("\n".join(lines) + "\n").encode()

"""Invented names of streets, stops and employers of the fictitious city."""

from __future__ import annotations

CITY, TOWN = "Port-Brumelle", "Lisse-la-Vieille"
AVENUE, BOULEVARD, BRIDGE = "Avenue du Grand Phare", "Boulevard des Brumes", "Pont de la Lisse"
PATH, RIVER, ISLAND = "Allée du Parc aux Courlis", "La Lisse", "Voie du Port Sec"

# One word per column or row of the grid: « rue » from south to north, « chemin » from west to east.
STREETS = (
    *("des Étraves", "des Courlis", "des Cordiers", "du Sel Gris", "des Tanneurs", "de la Drisse", "des Ajoncs"),
    *("du Vieux Môle", "des Saulniers", "de l'Écubier", "des Genêts", "du Cabestan", "des Bouvreuils", "de l'Étier"),
    *("des Charpentes", "du Feu Blanc", "des Goémons", "de la Mâture", "des Houblons", "du Lavoir Bleu"),
    *("des Épissures", "de la Corderie", "des Alouettes", "du Moulin Brûlé", "des Balises", "de l'Oseraie"),
    *("des Pêcheries", "du Bois Levant", "des Tisserands", "de la Vanne", "des Verriers", "du Champ Clos"),
    *("des Ardoises", "de la Sablière", "des Embruns", "du Gué Perdu"),
)

EMPLOYERS = (
    *("CONSERVERIE DE L'ONDE", "LOGISTIQUE DES BRUMES", "ATELIERS DU CABESTAN", "NETTOYAGE DE LA LISSE"),
    *("MARCHE DU GRAND PHARE", "TRANSPORTS DU MORVELIN", "FOURNIL DES COURLIS", "AIDE A DOMICILE DE VELUNE"),
    *("BATI SELANDE", "MAISON DE RETRAITE DES AJONCS", "HOTEL DU VIEUX MOLE", "NUMERIQUE D'OUTRE-BRUME"),
    *("CANTINES DE LA DRISSE", "VERRERIES DE CASTELOMBRE", "PEPINIERES DE L'OSERAIE", "GARAGE DE L'ETIER"),
    *("ECOLE DES EPISSURES", "BUREAUX DU FEU BLANC", "METALLERIE DE FONTVELAINE", "ACCUEIL DU PORT SEC"),
)
FICTITIOUS = "(FICTIF)"

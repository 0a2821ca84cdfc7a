"""Invented names. A test on real files proves that no real place of these levels bears one of them."""

from __future__ import annotations

PAYS = "Ensemble du territoire fictif"

REGIONS = {"98": "Outre-Brume", "99": "Terres-d'Ailleurs"}
DEPARTEMENTS = {"96": "Lisse-et-Velune", "98": "Haut-Morvelin", "99": "Côtes-de-Sélande"}

# One name per cell of the tessellation, column by column from the west, bottom to top. The cells of CITIES in
# territory.py take the names given there.
COMMUNES = (
    # département 96
    ("Trévelanec", "Lochrist-en-Velune", "Saint-Évoric", "Plougavrel", "L'Anse-aux-Fougeraies", "Kervalouët"),
    ("La Grée-Morvelle", "Port-Brumelle", "Sainte-Ombeline", "Le Faouzel", "Gwernavec", "Les Quatre-Amers"),
    ("Bréhandec", "Montaubrac-sur-Lisse", "Pencarvel", "Saint-Gurvald-du-Guet", "Treffoléan", "La Roche-Émelin"),
    ("L'Hermitaie-Basse", "Lisse-la-Vieille", "Coëtvellec", "Saint-Thurvin", "Guervihan", "Le Val-d'Ambrelle"),
    # département 98
    ("Morvelin-le-Bourg", "Vieilleroche-en-Morvelin", "Aulnelle", "Bourg-Thésard", "Champvélin", "Crémorain"),
    ("Dampvelin", "Œuvrelles", "Fontvelaine", "Grandlorme-l'Étang", "Hautesève", "La Jaunelière-aux-Ormes"),
    ("Les Landes-Rousselin", "Mareuvelle", "Noirvau-le-Haut", "Orgevelle", "Prévaudon", "Roncevelin"),
    # département 99
    ("Sélande-les-Grèves", "Saint-Ybard-sur-Onde", "Tourvanne", "Usselain", "Vaudrelle", "Yvrelonde"),
    ("Ambreville-la-Grande", "Boisvalin", "Castelombre", "Les Dunes-d'Arvelle", "Étrevaux-l'Abbaye", "Froidelonde"),
    ("Garancelle", "Herblevain", "L'Île-aux-Huîtriers", "Jonquerelle", "Lamberolle", "Maisonvelle-sous-Bois"),
)

EPCI = (
    # key, legal nature, name, tax regime
    ("E1", "METRO", "Port-Brumelle Métropole", "FPU"),
    ("E2", "CC", "CC du Pays de Pencarvel", "FA"),
    ("E3", "CA", "CA Lisse-et-Confins", "FPU"),
    ("E4", "CA", "CA Fontvelaine Agglomération", "FPU"),
    ("E5", "CA", "CA Entre-Noirvau-et-Onde", "FPU"),
    ("E6", "CU", "CU Castelombre Littoral", "FPU"),
)
EPCI_LONG = {
    "METRO": "Métropole",
    "CC": "Communauté de communes",
    "CA": "Communauté d'agglomération",
    "CU": "Communauté urbaine",
}

# Names of the commune that a merger made, and a plain change of name.
MERGED_2019 = "Val-de-Grandlorme"
MERGED_2024 = "Rives-de-Lamberolle"
RENAMED_2022 = ("Usselain", "Usselain-les-Marais")

QPV = {
    # commune (2015 name): (name of the neighbourhood, ...)
    "Port-Brumelle": (
        "Les Hautes Brumes",
        "Cœur d’Ardoise",
        "Le Vallon Des Cormorans",
        "Tour D'Amer – Kerouédic",
        "Cité De L'Étambot",
    ),
    "Port-Brumelle+La Grée-Morvelle": ("Grand Hunier",),
    "La Grée-Morvelle": ("Pré Aux Sarcelles",),
    "Pencarvel": ("La Misaine",),
    "Lisse-la-Vieille": ("Les Ajoncs Dorés", "Bas Quartier Saint-Thurvin"),
    "Fontvelaine": (
        "Plateau Des Alouvelles",
        "Rive Noire",
        "L'Ormeraie Basse",
        "Forges Neuves – Tréfilerie Morvelin",
    ),
    "Grandlorme-l'Étang": ("La Grande Lormeraie",),
    "Noirvau-le-Haut": ("Les Sept Fontaines Noires", "Les Houillats", "Petit Noirvau"),
    "Castelombre": (
        "Les Dunes Grises",
        "Phare De L'Onde",
        "Cap Cendrelle",
        "Bois D’Ombrelle",
    ),
    "Ambreville-la-Grande": ("Grand Ambre",),
    "Saint-Ybard-sur-Onde": ("Les Saulnières D'Onde",),
}
DROPPED_2024 = "Petit Noirvau"
NEW_2024 = {"Pencarvel": "Champ Du Pen", "Castelombre": "Les Terres Salées D'Arvelle"}

TIERS = (
    "CENTRE SOCIAL DES HAUTES BRUMES (FICTIF)",
    "REGIE DE QUARTIER DE L'ETAMBOT (FICTIVE)",
    "ASS. LES VOISINS DU GRAND HUNIER (FICTIVE)",
    "MAISON  POUR TOUS DES HOUILLATS (FICTIVE)",
    "MEDIATION SOCIALE DE FONTVELAINE (FICTIVE)",
    "ATELIERS DE L'ONDE (FICTIFS)",
)

# The one QPV of 2024 that stands among healthy IRIS although it is poor: it refutes « all QPV lie in sensitive zones ».
COUNTER_EXAMPLE = "Les Saulnières D'Onde"

# Unités urbaines of 2020: communes (2015 names) that are built without a break; the others are rural.
URBAN_UNITS = {
    "96701": ("Port-Brumelle", "La Grée-Morvelle", "Lochrist-en-Velune", "Sainte-Ombeline"),
    "96301": ("Pencarvel",),
    "96401": ("Lisse-la-Vieille", "L'Hermitaie-Basse"),
    "98601": ("Fontvelaine", "Œuvrelles", "Aulnelle"),
    "98302": ("Grandlorme-l'Étang", "Hautesève"),
    "98402": ("Noirvau-le-Haut", "Mareuvelle"),
    "98201": ("Orgevelle",),
    "99601": ("Castelombre", "Boisvalin", "Les Dunes-d'Arvelle"),
    "99303": ("Ambreville-la-Grande",),
    "99304": ("Saint-Ybard-sur-Onde",),
}

# IRIS of a city bear the name of their « grand quartier » and a side of it.
IRIS_PLACES = (
    "Centre Ancien",
    "Faubourg des Cordiers",
    "Gare-Arsenal",
    "Les Tanneurs",
    "Pré Levant",
    "Haute Lande",
    "Moulin Brûlé",
    "Sainte-Ombeline",
    "Les Courlis",
    "Vieux Bassin",
    "Butte aux Genêts",
    "Les Vergers Neufs",
    "Trois Fontaines",
    "Val Morvelin",
    "La Sablonnière",
    "Port Sec",
)
IRIS_SIDES = ("Nord", "Est", "Sud", "Ouest")

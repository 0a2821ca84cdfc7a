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

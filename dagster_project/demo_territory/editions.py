"""What each published file looks like: columns in order, number style, secrecy notes. Taken from the real files.

Nothing here is a figure: a test on the real files compares every header.
"""
# ruff: noqa: PLR2004 - an edition is known by its year

from __future__ import annotations

from dataclasses import dataclass, field

from dagster_project.demo_territory.writers import words

NARROW, NO_BREAK = "\u202f", "\u00a0"

RP = words(
    "TX_F TX_TOT_0A24 TX_F_0A24 TX_TOT_60ETPLUS TX_F_60ETPLUS IND_JEUNE TX_TOT_MEN1 TX_TOT_MEN6 TX_TOT_ET TX_F_ET"
)
CAF = words(
    "A PERCOU AM AI ACSSENF ACAVENF AC3ENF A_NETUD_24 A_ETUD ENF ENF_2 ENF_3_5 ENF_6_10 ENF_11_14 ENF_15_17 ENF_18_24"
)
DECLARED = ("DECUC_Q2", "DECUC_Q1", "DECUC_Q3", "BREV", "DECUC_D1", "DECUC_D9")
DISPOSABLE = ("DISP_Q2", "DISP_Q1", "DISP_Q3", "TP60", "DISP_D1", "DISP_D9")
PARTS = ("PACT", "PPEN", "PPSOC", "PIMPOT", "PPAT")


def _rates(precarious: str) -> tuple[str, ...]:
    kinds = ("EMPL", precarious)
    return tuple(f"TX_{group}_{kind}" for kind in kinds for group in ("TOT", "F", "ET"))


CONTRACTS = words(
    "CA CUI CIE CIE_HS CIE_S CAE EAV CA_F CUI_F EAV_F CA_H CUI_H EAV_H CUI_25 CUI_26A49 CUI_50 "
    "CUI_INFCAP CUI_CAP CUI_BAC CUI_SUPBAC EAV_INFCAP EAV_CAP EAV_SUPCAP"
)
SEEKERS = words(
    "ABCDE ABCDE_F ABCDE_H ABC ABC_F ABC_H ABC_RSA ABC_RSA_F ABC_RSA_H A A_F A_H ABC_25 ABC_2649 ABC_50 ABC_FR ABC_E"
)
_LEVELS = ("ABC_INFCAPBEP", "ABC_CAPBEP", "ABC_BAC", "ABC_SUPBAC")
_LENGTHS = ("ABC_DUR1", "ABC_DUR2", "ABC_DUR3", "ABC_DUR4")
BY_DIPLOMA = tuple(f"{name}{sex}" for sex in ("", "_F", "_H") for name in _LEVELS)
BY_LENGTH = tuple(f"{name}{sex}" for sex in ("", "_F", "_H") for name in _LENGTHS)
BY_SKILL = tuple(f"ABC_QAL{number}" for number in range(1, 6))
# The trailing space is in the real header.
EVOL_CA = "EVOL_CA_N_E "
EVOL = tuple(f"EVOL_{kind}{sex}_T4" for kind in ("ABC", "A") for sex in ("", "_F", "_H"))


@dataclass(frozen=True)
class Edition:
    """One published table of QPV figures.

    Attributes:
        width: cells of each line, counting the empty trailing ones.
        plain: numbers drop trailing zeros (« 37 » rather than « 37,0 ») in all columns, or in those of `stripped`.
        summary: whether a row « Ensemble » opens the table; `silent` columns are empty in it.
    """

    dataset: str
    vintage: str
    path: str
    columns: tuple[str, ...]
    width: int
    bom: bool = True
    quoted: bool = False
    last_line_end: bool = False
    thousands: str = NARROW
    plain: bool = False
    stripped: frozenset[str] = frozenset()
    summary: bool = True
    silent: frozenset[str] = frozenset()
    lists_late: bool = False
    notes: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def year(self) -> int:
        return int(self.vintage)


# QPV that play a part. LATE entered the lists after the others; OUTSIDE is not covered by census shares, as the
# overseas ones are; the rest are not diffused by one source or another in some editions.
LATE, OUTSIDE = "QP099005", "QP099006"
CNAF = {
    2017: {"QP096007": "4", "QP098003": "5"},
    2018: {"QP096003": "3", "QP096008": "5"},
    2019: {"QP096008": "5"},
    2020: {"QP096008": "5", "QP098008": "3"},
    2021: {"QP096008": "5", "QP098008": "3"},
}
CNAM = {
    2017: {"QP098001": "5", "QP098002": "3", "QP099001": "4"},
    2018: {"QP096010": "4", "QP098001": "5"},
    2019: {"QP098001": "5"},
    2021: {"QP098001": "5"},
}
# Code 1: published with reserve, some cells empty.
FILO = {
    2015: {"QP096010": "1", "QP098005": "1"},
    2016: {"QP096010": "1"},
    2017: {"QP096010": "1", "QP099003": "1"},
    2018: {"QP099003": "1"},
}
RESERVED_CELLS = {
    (2016, "QP096010"): ("TP60",),
    (2017, "QP096010"): ("TP60",),
    (2017, "QP099003"): ("PPFAM", "PPMINI"),
    (2018, "QP099003"): ("TP60", "PPFAM", "PPMINI"),
}


def _jobs_notes(year: int) -> dict[str, dict[str, str]]:
    seekers = {"QP099004": "3"} | ({"QP096008": "5"} if year >= 2019 else {})
    helped = seekers | {"QP096005": "4"}
    moves = seekers | ({} if year == 2019 else {"QP096010": "4"}) | ({"QP098004": "5"} if year == 2021 else {})
    notes = {"NOTE_ASP": helped, "NOTE_PE": seekers, "NOTE_PE_T": moves}
    return notes | ({} if year == 2017 else {"NOTE_ASP_E": helped | {"QP098007": "4"}})


def demo_editions() -> tuple[Edition, ...]:
    """« Démographie », workbook sheets saved as CSV."""
    place = ("CODGEO", "LIBGEO", "POP_MUN", "POP_COM_QP", "POP_COM", "LIB_COM")
    found = []
    for year, width in ((2017, 239), (2018, 197), (2019, 190), (2021, 191)):
        rp = (*RP, "NOTE_RP") if year == 2021 else RP
        found.append(
            Edition(
                "insee_demo",
                str(year),
                f"insee/DEMO_{year}.csv",
                (*place, *rp, *CAF, "NOTE_CNAF"),
                width,
                stripped=frozenset() if year == 2017 else frozenset({"TX_TOT_ET", "TX_F_ET"}),
                summary=year < 2021,
                lists_late=year == 2021,
                notes={"NOTE_CNAF": CNAF[year]} | ({"NOTE_RP": {OUTSIDE: "6"}} if year == 2021 else {}),
            )
        )
    return tuple(found)


def flat_demo_editions() -> tuple[Edition, ...]:
    """« Démographie », INSEE's own flat CSV: no thousands separator, each edition with its own columns."""
    found = []
    for year in (2019, 2020, 2021):
        place = ("CODGEO", "POP_MUN", "POP_COM_QP", "POP_COM") + (() if year == 2021 else ("LIB_COM",))
        rp = (*RP, "NOTE_RP") if year == 2021 else RP
        columns = (*place, *rp, *CAF, "NOTE_CNAF")
        found.append(
            Edition(
                "insee_demo_plat",
                str(year),
                f"insee/data_DEMO_{year}_V1_QP.csv",
                columns,
                len(columns),
                bom=False,
                quoted=year == 2021,
                last_line_end=True,
                thousands="",
                plain=True,
                summary=year == 2019,
                lists_late=year > 2019,
                notes={"NOTE_CNAF": CNAF[year]} | ({"NOTE_RP": {OUTSIDE: "6"}} if year == 2021 else {}),
            )
        )
    return tuple(found)


def revn_editions() -> tuple[Edition, ...]:
    """« Revenus ». The incomes are those of four years earlier."""
    found = []
    for year, width in ((2017, 256), (2018, 256), (2019, 256), (2021, 1024)):
        rsa = "ARSA" if year == 2017 else "APPA"
        filo = ("NOTE_FILO",) if year >= 2019 else ()
        if year == 2021:
            middle = (*DECLARED, "DECUC_D1D9", *DISPOSABLE, "DISP_D1D9", *PARTS, *filo, "C", "CC2S", "NOTE_CNAM")
            columns = ("CODGEO", "LIBGEO", "PMIMP", *middle, "A", "APPA", "ARSAS", "AAAH", "NOTE_CNAF")
        else:
            middle = ("PMIMP", "PART_CHOMPRINC", *DECLARED, *DISPOSABLE, *PARTS, *filo, "CCMUC", "NOTE_CNAM")
            columns = ("CODGEO", "LIBGEO", *middle, "A", "APRES50", "APRES100", rsa, "ARSAS", "AAAH", "NOTE_CNAF")
        silent = {"PMIMP", "PART_CHOMPRINC", "BREV", "TP60"}
        if year < 2019:
            silent |= {*DECLARED, *DISPOSABLE, *PARTS}
        notes = {"NOTE_CNAM": CNAM[year], "NOTE_CNAF": CNAF[year]}
        found.append(
            Edition(
                "insee_revn",
                str(year),
                f"insee/REVN_{year}.csv",
                columns,
                width,
                stripped=frozenset({"PMIMP", "PART_CHOMPRINC"} | ({"BREV"} if year == 2017 else set())),
                summary=year < 2021,
                silent=frozenset(silent),
                lists_late=year >= 2019,
                notes=notes | ({"NOTE_FILO": FILO[INCOMES_OF[year]]} if filo else {}),
            )
        )
    return tuple(found)


# Edition of « Revenus »: year of the incomes. The 2021 edition repeats Filosofi 2017, as checked on the real files.
INCOMES_OF = {2017: 2013, 2018: 2014, 2019: 2015, 2021: 2017}


def ipro_editions() -> tuple[Edition, ...]:
    """« Insertion professionnelle »."""
    found = []
    for year, width in ((2017, 256), (2018, 256), (2019, 214), (2020, 226), (2021, 226)):
        head = ("CODGEO", "LIBGEO", *_rates("EDLIM" if year == 2021 else "EPREC"))
        if year <= 2018:
            helped = (*CONTRACTS, "NOTE_ASP", *(("CA_N_E", "CA_N1_E", "NOTE_ASP_E") if year == 2018 else ()))
            detail: tuple[str, ...] = (*BY_DIPLOMA, *BY_SKILL, *BY_LENGTH)
            tail: tuple[str, ...] = ("NOTE_PE", "A_N_T4", "A_N1_T4", "NOTE_PE_T")
        else:
            helped = ("CA", "NOTE_ASP", EVOL_CA, "NOTE_ASP_E")
            detail = BY_LENGTH if year == 2019 else (*BY_DIPLOMA, *BY_LENGTH)
            tail = ("NOTE_PE", *EVOL, "NOTE_PE_T")
        found.append(
            Edition(
                "insee_ipro",
                str(year),
                f"insee/IPRO_{year}.csv",
                (*head, *helped, *SEEKERS, *detail, *tail),
                width,
                plain=year < 2021,
                summary=year < 2020,
                notes=_jobs_notes(year),
            )
        )
    return tuple(found)


def filo_editions() -> tuple[Edition, ...]:
    """Filosofi by QPV: lower case with suffix until 2017, capitals with other names in 2018."""
    deciles = tuple(f"d{number}" for number in (1, 2, 3, 4, 6, 7, 8, 9))
    parts = ("pact", "pcho", "ppen", "ppat", "ppsoc", "ppfam", "ppmini", "pplogt", "pimpot")
    found = []
    for year in (2016, 2017, 2018):
        short = year - 2000
        if year < 2018:
            names = ("q1", "q2", "q3", "q1q3q2", *deciles, "d1d9", "gini", "s80s20", *parts)
            columns = ("codgeo", *(f"disp_{name}_a{short}" for name in names), f"tp60_a{short}", "note")
        else:
            names = ("q1", "med", "q3", "eq", *deciles, "rd", "gini", "s80s20", *parts, "tp60", "note")
            columns = ("CODGEO", *(f"DISP_{name.upper()}_A{short}" for name in names))
        found.append(
            Edition(
                "insee_filosofi_qpv",
                str(year),
                f"insee/data_filo{short}_qp_revdis.csv",
                columns,
                len(columns),
                bom=False,
                last_line_end=True,
                thousands=NO_BREAK if year == 2018 else "",
                plain=year < 2018,
                lists_late=True,
                notes={columns[-1]: FILO[year]},
            )
        )
    return tuple(found)

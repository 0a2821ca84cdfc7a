select
    _vintage as vintage,
    siren as epci_code,
    raison_sociale as epci_name,
    dept as seat_departement_code,
    insee as commune_code
from {{ source('raw', 'dgcl_epci') }}

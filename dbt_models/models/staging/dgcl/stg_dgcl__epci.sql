select
    _vintage as vintage,
    siren as epci_code,
    raison_sociale as epci_name,
    dept as seat_departement_code,
    insee as commune_code,
    _source_sha256 as source_sha256,
    _source_member as source_member,
    _source_row as source_row
from {{ source('raw', 'dgcl_epci') }}

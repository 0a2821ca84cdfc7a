{{ observation('stg_insee__filosofi_epci', 'insee_filosofi_epci') }}

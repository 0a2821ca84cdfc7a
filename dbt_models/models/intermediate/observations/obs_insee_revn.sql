{{ observation('stg_insee__revn', 'insee_revn') }}

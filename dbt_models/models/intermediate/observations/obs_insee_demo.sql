{{ observation('stg_insee__demo', 'insee_demo') }}

{{ observation('stg_insee__populations_communes', 'insee_populations_communes') }}

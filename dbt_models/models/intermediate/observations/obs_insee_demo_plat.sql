{{ observation('stg_insee__demo_plat', 'insee_demo_plat') }}

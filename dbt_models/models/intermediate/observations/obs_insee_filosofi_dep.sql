{{ observation('stg_insee__filosofi_dep', 'insee_filosofi_dep') }}

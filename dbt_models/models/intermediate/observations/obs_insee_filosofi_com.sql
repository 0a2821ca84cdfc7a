{{ observation('stg_insee__filosofi_com', 'insee_filosofi_com') }}

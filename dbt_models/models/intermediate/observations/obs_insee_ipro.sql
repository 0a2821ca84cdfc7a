{{ observation('stg_insee__ipro', 'insee_ipro') }}

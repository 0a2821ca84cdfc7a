{{ observation('insee_populations_communes') }}

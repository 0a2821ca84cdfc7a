{{ observation('insee_revn') }}

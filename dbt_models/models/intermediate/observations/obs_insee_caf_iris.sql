{{ observation('insee_caf_iris') }}

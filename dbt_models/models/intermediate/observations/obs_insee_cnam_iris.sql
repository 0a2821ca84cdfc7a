{{ observation('insee_cnam_iris') }}

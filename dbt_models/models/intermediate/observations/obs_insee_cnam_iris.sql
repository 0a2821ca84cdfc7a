{#- Written by `make generate`. -#}
{{ observation('insee_cnam_iris') }}

{#- Written by `make generate`. -#}
{{ observation('insee_caf_iris') }}

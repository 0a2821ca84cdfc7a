{#- Written by `make generate`. -#}
{{ observation('insee_revn') }}

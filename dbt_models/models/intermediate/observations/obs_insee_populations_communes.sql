{#- Written by `make generate`. -#}
{{ observation('insee_populations_communes') }}

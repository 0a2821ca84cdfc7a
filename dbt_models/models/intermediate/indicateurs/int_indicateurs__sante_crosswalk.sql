{#- Written by `make generate`. -#}
{{ indicateurs_crosswalk('sante') }}

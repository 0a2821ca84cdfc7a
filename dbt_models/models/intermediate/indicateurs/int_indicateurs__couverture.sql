{#- Written by `make generate`. -#}
{{ indicateurs('couverture') }}

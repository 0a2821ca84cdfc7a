{#- Written by `make generate`. -#}
{{ indicateurs('sante') }}

{#- Written by `make generate`. -#}
{{ indicateurs_reportes('sante') }}

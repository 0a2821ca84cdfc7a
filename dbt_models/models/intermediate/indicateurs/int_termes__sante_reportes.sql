{#- Written by `make generate`. -#}
{{ termes_reportes('sante') }}

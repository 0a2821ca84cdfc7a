{#- Written by `make generate`. -#}
{{ termes('revenus') }}

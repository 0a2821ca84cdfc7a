{#- Written by `make generate`. -#}
{{ termes('couverture') }}

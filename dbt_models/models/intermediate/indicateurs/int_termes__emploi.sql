{#- Written by `make generate`. -#}
{{ termes('emploi') }}

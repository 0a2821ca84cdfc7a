{#- Written by `make generate`. -#}
{{ termes('population') }}

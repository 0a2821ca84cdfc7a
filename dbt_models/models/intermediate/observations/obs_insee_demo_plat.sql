{#- Written by `make generate`. -#}
{{ observation('insee_demo_plat') }}

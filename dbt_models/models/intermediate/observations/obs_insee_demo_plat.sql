{{ observation('insee_demo_plat') }}

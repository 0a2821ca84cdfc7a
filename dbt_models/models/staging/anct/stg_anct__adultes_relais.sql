{{ staging_postes('anct_adultes_relais') }}

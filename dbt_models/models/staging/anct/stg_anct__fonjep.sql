{{ staging_postes('anct_fonjep') }}

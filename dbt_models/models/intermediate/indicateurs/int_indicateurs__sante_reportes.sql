{{ indicateurs_reportes('sante') }}

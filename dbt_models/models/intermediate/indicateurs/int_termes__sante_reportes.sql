{{ termes_reportes('sante') }}

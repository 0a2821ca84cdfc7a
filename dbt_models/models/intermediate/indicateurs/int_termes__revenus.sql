{{ termes('revenus') }}

{{ termes('couverture') }}

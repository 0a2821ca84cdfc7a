{{ termes('population') }}

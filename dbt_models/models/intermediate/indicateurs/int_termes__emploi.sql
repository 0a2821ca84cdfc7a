{{ termes('emploi') }}

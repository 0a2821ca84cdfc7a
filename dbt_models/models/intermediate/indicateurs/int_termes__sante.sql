{{ termes('sante') }}

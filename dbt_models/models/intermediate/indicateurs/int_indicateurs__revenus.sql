{{ indicateurs('revenus') }}

{{ observation('cstb_bdnb_logements') }}

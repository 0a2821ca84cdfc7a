{# Constants of the indices, frozen with the release: scales, bounds, weights and what each component really weighs. #}
select
    index_code, component, direction, mean, sd, low_bound, high_bound, skewness, kurtosis, winsorised_zones,
    reference_zones, zones_without_error, nominal_weight, pca_weight, squared_correlation, effective_weight,
    sobol_first_order, cut, status, model_version
from {{ ref('int_modele__vulnerabilite') }}
where sortie = 'parametre'
order by index_code, component

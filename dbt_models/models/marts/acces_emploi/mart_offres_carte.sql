{#
    Offers for a map: posts by place and ROME. Places are rounded to a thousandth of a degree (about 100 m), and neither
    the employer nor the title goes further: an address can be an employer's name.
#}
select
    offer.vintage,
    round(offer.lon, 3) as lon,
    round(offer.lat, 3) as lat,
    offer.precision,
    offer.code_rome,
    rome.libelle as libelle_rome,
    cast(sum(1) as bigint) as n_offres,
    cast(sum(offer.nb_postes) as bigint) as n_postes,
    max(offer.n_sources) as n_sources
from {{ ref('int_offres__retenues') }} as offer
left join {{ ref('stg_francetravail__rome') }} as rome
    on offer.code_rome = rome.code_rome and {{ version_rome('rome.rome_version') }} = '3'
where offer.lieu_id is not null and offer.code_rome is not null
group by all
order by all

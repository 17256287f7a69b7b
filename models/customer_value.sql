/*
kind: table
description: recency, frequency and money of every buyer, each in quintiles (5 is best)
tests:
  - { unique: person_id }
  - { expression: recency between 1 and 5 and frequency between 1 and 5 and money between 1 and 5 }
*/
with bought as (
  select person_id, max(paid_at) as last_bought_at, min(paid_at) as first_bought_at,
         count(*) as purchases, sum(amount) as total_spend
  from purchases
  where person_id is not null
  group by person_id
)
select person_id, first_bought_at, last_bought_at, purchases, total_spend,
       ntile(5) over (order by last_bought_at nulls last, person_id nulls last) as recency,
       ntile(5) over (order by purchases nulls last, total_spend nulls last, person_id nulls last) as frequency,
       ntile(5) over (order by total_spend nulls last, person_id nulls last) as money
from bought

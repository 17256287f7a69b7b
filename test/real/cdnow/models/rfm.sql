/*
kind: table
description: quintiles of recency, frequency and money, 5 is best; equals are told apart by their number
tests:
  - { unique: person_id }
  - { unique: customer_id }
  - { accepted_values: { column: recency, values: [1, 2, 3, 4, 5] } }
*/
with customers as (
  select person_id, customer_id, max(bought_on) as last_bought_on, count(*) as purchases, sum(amount) as spent
  from people
  group by person_id, customer_id
)
select person_id, customer_id, last_bought_on, purchases, spent,
       ntile(5) over (order by last_bought_on, customer_id) as recency,
       ntile(5) over (order by purchases, customer_id) as frequency,
       ntile(5) over (order by spent, customer_id) as money
from customers

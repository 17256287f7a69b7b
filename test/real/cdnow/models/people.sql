/*
kind: identity
description: purchases with one number are of one person
record: [line]
seen_at: bought_on
identifiers:
  customer_id: { max_per_person: 1 }
*/
select line, source, customer_id, bought_on, amount from purchases

/*
kind: segment
description: people who put something in the cart more than three days ago, within the last month, and bought nothing since
tags: [daily]
refresh: day
*/
with carts as (
  select person_id, max(occurred_at) as carted_at
  from person_events
  where event = 'add_to_cart' and person_id is not null
  group by person_id
)
select p.person_id, p.email, p.phone, p.full_name, c.carted_at
from carts c
join profiles p on p.person_id = c.person_id
left join customer_value v on v.person_id = c.person_id
where cdp.days_between(c.carted_at, current_timestamp) >= 3
  and cdp.days_between(c.carted_at, current_timestamp) < 30
  and (v.last_bought_at is null or v.last_bought_at < c.carted_at)

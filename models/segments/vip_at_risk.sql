/*
kind: segment
description: people who bought often and much, and have not for 60 days
owner: crm
tags: [daily]
refresh: day
tests: [{ unique: person_id }, { not_null: person_id }]
*/
select p.person_id, p.email, p.phone, p.full_name, v.total_spend, v.purchases, v.last_bought_at
from profiles p join customer_value v on v.person_id = p.person_id
where v.frequency = 5 and v.money = 5 and cdp.days_between(v.last_bought_at, current_timestamp) > 60

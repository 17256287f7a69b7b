/*
kind: segment
description: people whose first purchase was in the last seven days
tags: [daily]
refresh: day
*/
select p.person_id, p.email, p.phone, p.full_name, v.first_bought_at
from profiles p join customer_value v on v.person_id = p.person_id
where cdp.days_between(v.first_bought_at, current_timestamp) < 7

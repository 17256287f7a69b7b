/*
kind: segment
description: the fifth of the buyers who spent most
tags: [daily]
*/
select p.person_id, p.email, p.phone, p.full_name, v.total_spend
from profiles p join customer_value v on v.person_id = p.person_id
where v.money = 5

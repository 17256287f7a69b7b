select p.person_id, p.email, p.phone, p.full_name, s.total_spend
from "main"."profiles" p join "main"."spending" s on s.person_id = p.person_id
where s.total_spend > 0 and p.phone is not null

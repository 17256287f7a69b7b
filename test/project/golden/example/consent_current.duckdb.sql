select p.person_id, 'marketing.email' as purpose, n.granted
from "raw"."shop_newsletter" n
join "main"."people" p on p.source = 'newsletter' and p.record_id = n.email
qualify row_number() over (partition by p.person_id order by cdp.safe_timestamp(n.at) desc) = 1

select p.person_id, sum(r.amount) as total_spend, count(*) as receipts
from "raw"."till_receipts" r
join "main"."people" p on p.source = 'till' and p.record_id = r.receipt_no
group by p.person_id

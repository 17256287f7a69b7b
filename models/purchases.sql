/*
kind: table
description: what people bought, at the till and in the shop
tests:
  - { unique: [channel, purchase_id] }
  - { not_null: [purchase_id, paid_at] }
  - { expression: amount >= 0 }
  - { accepted_values: { column: channel, values: [store, shop] } }
  - { relationships: { column: person_id, to: profiles, field: person_id } }
*/
select 'store' as channel, r.receipt_id as purchase_id, p.person_id, r.amount, r.paid_at
from raw.pos_receipts r
left join people p on p.source = 'pos' and p.record_id = r.receipt_id
union all
select 'shop', o.order_id, p.person_id, o.total, o.ordered_at
from raw.shop_orders o
left join people p on p.source = 'shop' and p.record_id = o.customer_id
where o.status not in ('cancelled', 'returned')

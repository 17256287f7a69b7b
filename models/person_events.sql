/*
kind: view
description: events with the person they belong to now; an anonymous visit is its visitor's once they log in
*/
select e.event_id, e.event, e.campaign_id, e.sku, e.occurred_at,
       coalesce(c.person_id, b.person_id, m.person_id) as person_id
from events e
left join people c on c.source = 'shop' and c.record_id = e.customer_id
left join people b on b.source = 'web' and b.record_id = case when e.customer_id is null then e.anonymous_id end
left join (select email, min(person_id) as person_id from profiles where email is not null group by email) m on m.email = e.email

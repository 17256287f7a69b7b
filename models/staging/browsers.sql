/*
kind: table
description: every browser that was seen, once for each customer who logged in on it
tests: [{ unique: [anonymous_id, customer_id] }]
*/
select anonymous_id, customer_id, min(occurred_at) as first_seen_at, max(occurred_at) as last_seen_at
from events
where anonymous_id is not null
group by anonymous_id, customer_id

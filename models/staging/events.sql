/*
kind: incremental
description: web and e-mail events in columns; a run reads only what landed since the last one
key: [event_id]
cursor: loaded_at
boundary: exclusive
tests:
  - { unique: event_id }
  - { not_null: [event, occurred_at] }
*/
select event_id, anonymous_id, customer_id, event,
       cdp.normalize_email(cdp.json_text(properties, '$.email')) as email,
       cdp.json_text(properties, '$.campaign_id') as campaign_id,
       cdp.json_text(properties, '$.sku') as sku,
       occurred_at, _cdp_loaded_at as loaded_at
from raw.web_events

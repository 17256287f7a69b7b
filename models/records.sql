/*
kind: view
description: every record that stands for a person, cleaned, in one shape
tests: [{ unique: [source, record_id] }, { not_null: [source, record_id] }]
*/
select 'shop' as source, id as record_id, id as customer_id,
       cdp.normalize_email(email) as email, cdp.normalize_phone(phone, 'VN') as phone, null as anonymous_id,
       cdp.normalize_name(full_name) as full_name, city, cdp.safe_date(birth_date) as birth_date,
       cdp.safe_timestamp(updated_at) as updated_at
from raw.shop_customers
union all
select 'crm', contact_id, null, cdp.normalize_email(email), cdp.normalize_phone(phone, 'VN'), null,
       cdp.normalize_name(cdp.join_text([family_name, given_name], ' ')), city, birth_date, updated_at
from raw.crm_contacts
union all
select 'newsletter', signup_id, null, cdp.normalize_email(email), null, null,
       cdp.normalize_name(name), null, null, cdp.safe_timestamp(s.at)
from raw.newsletter_signups s
union all
select 'pos', receipt_id, null, null, cdp.normalize_phone(phone, 'VN'), null,
       cdp.normalize_name(name), null, null, paid_at
from raw.pos_receipts
where cdp.normalize_phone(phone, 'VN') is not null
union all
select 'web', case when customer_id is null then anonymous_id else anonymous_id || '/' || customer_id end, customer_id,
       null, null, anonymous_id, null, null, null, last_seen_at
from browsers

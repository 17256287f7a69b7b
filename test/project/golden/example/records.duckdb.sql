select 'shop' as source, cast(id as string) as record_id,
       cdp.normalize_email(email) as email, cdp.normalize_phone(phone, 'VN') as phone,
       cdp.normalize_name(full_name) as full_name, city, cdp.safe_timestamp(updated_at) as updated_at
from "raw"."shop_customers"
union all
select 'newsletter', n.email, cdp.normalize_email(n.email), null, null, null, cdp.safe_timestamp(n.at)
from "raw"."shop_newsletter" n
union all
select 'till', receipt_no, null, cdp.normalize_phone(phone, 'VN'), cdp.normalize_name(name), null, paid_at
from "raw"."till_receipts"
where cdp.normalize_phone(phone, 'VN') is not null

/*
kind: table
description: one row a purchase, read from its columns 2-6, 8-15, 17-18 and 20-26
tests:
  - { unique: line }
  - { not_null: [customer_id, bought_on, discs, amount] }
  - { expression: amount >= 0 }
*/
select _cdp_source_line as line, 'cdnow' as source, substr(text, 2, 5) as customer_id,
       cdp.safe_date(substr(text, 8, 4) || '-' || substr(text, 12, 2) || '-' || substr(text, 14, 2)) as bought_on,
       cdp.safe_int(trim(substr(text, 16, 3))) as discs,
       cdp.safe_decimal(trim(substr(text, 19))) as amount
from raw.cdnow_lines
where text not like ' customer_id %'

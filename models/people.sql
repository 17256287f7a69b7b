/*
kind: identity
description: which records are the same person
record: [source, record_id]
seen_at: updated_at
names: [full_name]
identifiers:                       # strongest first
  customer_id:  { max_per_person: 1 }
  email:        { max_shared_by: 50 }
  phone:        { max_shared_by: 50 }
  anonymous_id: {}
*/
select source, record_id, customer_id, email, phone, anonymous_id, full_name, city, birth_date, updated_at
from records

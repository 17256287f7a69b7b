/*
kind: profile
description: one row a person, the best value of each trait
owner: crm
of: people
traits:
  full_name: { pick: latest, prefer: [shop, crm] }
  email: { pick: latest, prefer: [shop, crm, newsletter] }
  phone: { pick: latest, prefer: [shop, crm, pos] }
  city: { pick: latest, prefer: [shop, crm] }
  birth_date: { pick: most_frequent }
  customer_id: latest
  first_seen: { pick: min, from: updated_at }
tests: [{ unique: person_id }, { not_null: person_id }]
*/
select * from people

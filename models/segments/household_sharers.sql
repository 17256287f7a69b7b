/*
kind: segment
description: people whose records carry two or more e-mail addresses under one phone number, as families do
*/
select p.person_id, p.email, p.phone, p.full_name, h.addresses
from (
  select person_id, count(distinct email) as addresses, count(distinct phone) as phones
  from people
  group by person_id
) h
join profiles p on p.person_id = h.person_id
where h.addresses >= 2 and h.phones >= 1

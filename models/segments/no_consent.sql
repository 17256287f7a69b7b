/*
kind: segment
description: people with an address who gave no consent to e-mail, or took it back
*/
select p.person_id, p.email, p.full_name
from profiles p
left join consent_current c on c.person_id = p.person_id and c.purpose = 'marketing.email'
where p.email is not null and coalesce(c.granted, false) = false

/*
kind: view
description: the last word of each person for each purpose; where two are equally late, no wins
tests: [{ unique: [person_id, purpose] }]
*/
select p.person_id, s.purpose, s.granted
from raw.newsletter_signups s
join people p on p.source = 'newsletter' and p.record_id = s.signup_id
qualify row_number() over (partition by p.person_id, s.purpose
                           order by cdp.safe_timestamp(s.at) desc, s.granted nulls last, s.signup_id nulls last) = 1

/*
kind: segment
description: people who opened an e-mail campaign and clicked in none
tags: [daily]
*/
select p.person_id, p.email, p.full_name, o.opened
from (
  select person_id, count(distinct case when event = 'email_open' then campaign_id end) as opened,
         count(distinct case when event = 'email_click' then campaign_id end) as clicked
  from person_events
  where person_id is not null
  group by person_id
) o
join profiles p on p.person_id = o.person_id
where o.opened > 0 and o.clicked = 0

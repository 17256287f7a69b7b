/*
kind: segment
description: people whose birthday is in this month
tags: [daily]
refresh: day
*/
select person_id, email, phone, full_name, birth_date
from profiles
where cdp.month_of(birth_date) = cdp.month_of(cdp.date_in_zone(current_timestamp, 'Asia/Ho_Chi_Minh'))

/*
kind: segment
description: best in recency, frequency and money, of those who bought within sixty days
*/
select person_id, customer_id, purchases, spent
from rfm
where recency = 5 and frequency >= 4 and money >= 4 and cdp.days_between(last_bought_on, current_date) <= 60

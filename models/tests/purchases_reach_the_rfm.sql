/*
severity: error
description: no money is lost between the purchases and the customer value
*/
select total from (
  select (select sum(amount) from purchases where person_id is not null) - (select sum(total_spend) from customer_value) as total
) d
where total <> 0

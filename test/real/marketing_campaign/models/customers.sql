/*
kind: identity
description: a customer is a person
record: [row_id]
seen_at: since
identifiers:
  id: { max_per_person: 1 }
tests:
  - { unique: id }
  - { not_null: [since, responded] }
  - { not_null: income, severity: warn }
*/
select ID as row_id, 'survey' as source, cast(ID as string) as id, Education as education, Marital_Status as marital_status, Income as income,
       cdp.safe_timestamp(substr(Dt_Customer, 7, 4) || '-' || substr(Dt_Customer, 4, 2) || '-' || substr(Dt_Customer, 1, 2)) as since,
       MntWines + MntFruits + MntMeatProducts + MntFishProducts + MntSweetProducts + MntGoldProds as spent,
       Response = 1 as responded
from raw.survey_customers

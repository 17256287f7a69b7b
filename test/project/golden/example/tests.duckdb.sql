-- records: unique(source, record_id) (error)
select "source", "record_id", count(*) as occurrences from "main"."records" where "source" is not null and "record_id" is not null group by "source", "record_id" having count(*) > 1;
-- profiles: unique(person_id) (error)
select "person_id", count(*) as occurrences from "main"."profiles" where "person_id" is not null group by "person_id" having count(*) > 1;
-- profiles: not_null(person_id) (error)
select * from "main"."profiles" where "person_id" is null;
-- spending: unique(person_id) (error)
select "person_id", count(*) as occurrences from "main"."spending" where "person_id" is not null group by "person_id" having count(*) > 1;
-- spending: expression(total_spend >= 0) (error)
select * from "main"."spending" where not (
total_spend >= 0
);

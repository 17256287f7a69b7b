/*
kind: segment
description: people who answered the last campaign
*/
select person_id, id, education, income, since, spent from customers where responded

select * from "main"."people"

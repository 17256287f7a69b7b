select source, record_id, email, phone, full_name, city, updated_at from "main"."records"

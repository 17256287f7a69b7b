select count(*) as headers from raw.cdnow_lines l
where not exists (select 1 from purchases p where p.line = l._cdp_source_line)
having count(*) <> 1

-- 0062 A restriction whose end WhatsApp has named heals alone. Why: the wall counted it among what needs a person, and there was nothing that one could do. Oldest program: 1.

-- By what cures it: `person`: somebody must act at WhatsApp; `scan`: a phone must scan or type a code; `reconnecting`: it heals
-- alone; `ready`: all are connected; `none`: no number yet. Of several numbers the worst.
create or replace function bridge.numbers_state(location text) returns text
language sql stable as $$
  select case
    when count(*) = 0 then 'none'
    when bool_or(session.status in ('replaced', 'banned', 'outdated')
      or (session.status = 'restricted'
        and coalesce((session.problem->>'until')::timestamptz <= clock_timestamp(), true))) then 'person'
    when bool_or(session.status in ('logged_out', 'qr', 'pairing')) then 'scan'
    when bool_or(session.status <> 'ready') then 'reconnecting'
    else 'ready' end
  from bridge.sessions session where session.location_id = location
$$;

select bridge.finish_migration(62, '0062_restricted_until', 1, array[]::text[]);
notify pgrst, 'reload schema';

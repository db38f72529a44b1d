-- 0018 Which locations have a wish on a session. Why: a node that cannot hear of other nodes asks once a second for all of its locations at once. Oldest program: 1.

create index if not exists sessions_with_wish on bridge.sessions (location_id) where wish is not null;

create or replace function bridge.wished_locations(args jsonb) returns jsonb
language sql stable as $$
  select coalesce(jsonb_agg(distinct session.location_id), '[]')
  from bridge.sessions session
  where session.wish is not null
    and session.location_id in (select jsonb_array_elements_text(args->'locations'))
$$;

select bridge.finish_migration(18, '0018_wished_locations', 1, array['wished_locations']);
notify pgrst, 'reload schema';

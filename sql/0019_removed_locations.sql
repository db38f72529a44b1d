-- 0019 Which of some locations are without the app. Why: a node that missed the word of a removal looks for itself. Oldest program: 1.

create or replace function bridge.removed_locations(args jsonb) returns jsonb
language sql stable as $$
  select coalesce(jsonb_agg(account.location_id), '[]')
  from bridge.ghl_accounts account
  where account.status = 'uninstalled'
    and account.location_id in (select jsonb_array_elements_text(args->'locations'))
$$;

select bridge.finish_migration(19, '0019_removed_locations', 1, array['removed_locations']);
notify pgrst, 'reload schema';

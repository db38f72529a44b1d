-- 0022 Locations by how their numbers are, and how many there are of each. Why: among thousands, those that need somebody must be found at a glance. Oldest program: 1.

-- `ready`: it has numbers and all are connected; `trouble`: one of them is not; `none`: it has no number yet.
create or replace function bridge.numbers_state(location text) returns text
language sql stable as $$
  select case
    when count(*) = 0 then 'none'
    when bool_and(session.status = 'ready') then 'ready'
    else 'trouble' end
  from bridge.sessions session where session.location_id = location
$$;

create or replace function bridge.page_installations(args jsonb) returns jsonb
language sql stable as $$
  with wanted as (
    select account, bridge.installation_health(account) as health, bridge.installation_rank(account) collate "C" as rank
    from bridge.ghl_accounts account
    where (args->>'locationId' is null or account.location_id = args->>'locationId')
      and (args->>'userType' is null or account.user_type = args->>'userType')
      and (args->>'companyId' is null or account.company_id = args->>'companyId')
      and (args->>'search' is null
        or strpos(lower(coalesce(account.location_name, '')), lower(args->>'search')) > 0
        or strpos(lower(coalesce(account.company_name, '')), lower(args->>'search')) > 0
        or account.location_id = args->>'search' or account.company_id = args->>'search')
      and (args->>'numbers' is null or bridge.numbers_state(account.location_id) = args->>'numbers')
  ), matching as (
    select * from wanted where args->>'health' is null or wanted.health = args->>'health'
  ), page as (
    select * from matching
    where args->>'cursor' is null or matching.rank > (args->>'cursor') collate "C"
    order by matching.rank
    limit (args->>'limit')::int
  )
  select jsonb_build_object(
    'rows', (select coalesce(jsonb_agg(
      bridge.installation_json(page.account) || jsonb_build_object('health', page.health) order by page.rank), '[]') from page),
    'lastRank', (select max(page.rank) from page),
    'total', (select count(*) from matching))
$$;

create or replace function bridge.count_locations(args jsonb) returns jsonb
language sql stable as $$
  with location as (
    select bridge.installation_health(account) as health, bridge.numbers_state(account.location_id) as numbers
    from bridge.ghl_accounts account where account.user_type = 'Location'
  )
  select jsonb_build_object(
    'tokens', (select coalesce(jsonb_object_agg(health, count), '{}')
      from (select health, count(*) from location group by 1) counted),
    'numbers', (select coalesce(jsonb_object_agg(numbers, count), '{}')
      from (select numbers, count(*) from location group by 1) counted))
$$;

select bridge.finish_migration(22, '0022_console', 1, array['count_locations']);
notify pgrst, 'reload schema';

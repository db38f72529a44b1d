-- 0052 The wall of locations: what needs a person apart from what heals alone, trouble first, messages that wait for somebody, and a search as people type. Why: among thousands, "not connected" mixed the two, and a number or a name without its accents was not found. Oldest program: 1.

-- By what cures it: `person`: somebody must act at WhatsApp; `scan`: a phone must scan or type a code; `reconnecting`: it heals
-- alone; `ready`: all are connected; `none`: no number yet. Of several numbers the worst.
create or replace function bridge.numbers_state(location text) returns text
language sql stable as $$
  select case
    when count(*) = 0 then 'none'
    when bool_or(session.status in ('replaced', 'restricted', 'banned', 'outdated')) then 'person'
    when bool_or(session.status in ('logged_out', 'qr', 'pairing')) then 'scan'
    when bool_or(session.status <> 'ready') then 'reconnecting'
    else 'ready' end
  from bridge.sessions session where session.location_id = location
$$;

-- Internal. A text as it is compared: without case and accents.
create or replace function bridge.folded(text text) returns text
language sql immutable as $$
  select regexp_replace(normalize(lower(text), NFD), '[\u0300-\u036f]', '', 'g')
$$;

-- Internal. A part of a name or an id, or digits of one of its numbers.
create or replace function bridge.is_found(account bridge.ghl_accounts, search text) returns boolean
language sql stable as $$
  select strpos(bridge.folded(concat_ws(' ', account.location_name, account.company_name, account.location_id,
      account.company_id)), bridge.folded(search)) > 0
    or (search ~ '^[+0-9 ().-]+$' and length(regexp_replace(search, '\D', '', 'g')) >= 3 and exists (
      select from bridge.sessions session where session.location_id = account.location_id
        and strpos(session.phone_number, regexp_replace(search, '\D', '', 'g')) > 0))
$$;

-- Internal. 0 needs a person, 1 may need one, 2 is well.
create or replace function bridge.trouble_rank(account bridge.ghl_accounts, health text) returns text
language sql stable as $$
  select case
    when health in ('expired', 'pending', 'needs_reconnect') then '0'
    when health in ('uninstalled', 'deactivated') then '2'
    else (select case
      when numbers.state in ('person', 'scan') then '0'
      when numbers.state = 'reconnecting' or exists (select from bridge.messages message
        where message.location_id = account.location_id and message.state in ('failed', 'held')
          and message.discarded_at is null) then '1'
      else '2' end
      from (select bridge.numbers_state(account.location_id) as state) numbers) end
$$;

create or replace function bridge.page_installations(args jsonb) returns jsonb
language sql stable as $$
  with wanted as (
    select account, health,
      (case when args->>'order' = 'trouble' then bridge.trouble_rank(account, health) else '' end
        || bridge.installation_rank(account)) collate "C" as rank
    from bridge.ghl_accounts account, lateral (select bridge.installation_health(account) as health) its
    where (args->>'locationId' is null or account.location_id = args->>'locationId')
      and (args->>'userType' is null or account.user_type = args->>'userType')
      and (args->>'companyId' is null or account.company_id = args->>'companyId')
      and (args->>'search' is null or bridge.is_found(account, args->>'search'))
      and (args->>'numbers' is null or bridge.numbers_state(account.location_id) = args->>'numbers'
        or (args->>'numbers' = 'trouble' and bridge.numbers_state(account.location_id) not in ('ready', 'none')))
      and (args->>'health' is null or health = args->>'health')
  ), page as (
    select * from wanted
    where args->>'cursor' is null or wanted.rank > (args->>'cursor') collate "C"
    order by wanted.rank
    limit (args->>'limit')::int
  )
  select jsonb_build_object(
    'rows', (select coalesce(jsonb_agg(
      bridge.installation_json(page.account) || jsonb_build_object(
        'health', page.health,
        'dead', (select count(*) from bridge.messages message where message.location_id = (page.account).location_id
          and message.state = 'failed' and message.discarded_at is null),
        'held', (select count(*) from bridge.messages message where message.location_id = (page.account).location_id
          and message.state = 'held' and message.discarded_at is null)) order by page.rank), '[]') from page),
    'lastRank', (select max(page.rank) from page),
    'total', (select count(*) from wanted))
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
      from (select numbers, count(*) from location group by 1) counted),
    'letters', (select coalesce(jsonb_object_agg(state, count), '{}')
      from (select message.state, count(*) from bridge.messages message
        where message.state in ('failed', 'held', 'queued', 'sending') and message.discarded_at is null
          and not message.is_history group by 1) counted))
$$;

select bridge.finish_migration(52, '0052_wall', 1, array['page_installations', 'count_locations']);
notify pgrst, 'reload schema';

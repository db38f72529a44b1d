-- 0013 Installations that come before, without or after their tokens; reports of long work. Why: agencies install in bulk, events come in any order, and a broken location must be seen. Oldest program: 1.

-- 'pending': GHL says that the app is installed here, and no token has come yet.
alter table bridge.ghl_accounts drop constraint if exists ghl_accounts_status;
alter table bridge.ghl_accounts add constraint ghl_accounts_status
  check (status in ('pending', 'active', 'needs_reconnect', 'uninstalled'));
alter table bridge.ghl_accounts alter column access_token drop not null;
alter table bridge.ghl_accounts
  add column if not exists user_id text,
  add column if not exists version_id text,
  add column if not exists is_bulk boolean not null default false,
  add column if not exists company_name text,
  add column if not exists white_label_domain text,
  add column if not exists problem jsonb,
  add column if not exists refreshed_at timestamptz,
  add column if not exists checked_at timestamptz,
  add column if not exists event_at timestamptz,
  add column if not exists uninstalled_at timestamptz;
create index if not exists ghl_accounts_by_company on bridge.ghl_accounts (company_id);
create index if not exists ghl_accounts_by_expiry on bridge.ghl_accounts (token_expires_at) where status = 'active';
comment on column bridge.ghl_accounts.access_token is 'Sealed by the program. Null before the first and after an uninstall.';
comment on column bridge.ghl_accounts.problem is '{code, message, action}: what the last attempt to use or renew its tokens met; null when it went well.';
comment on column bridge.ghl_accounts.checked_at is 'When GHL last answered a call under these tokens that was made to find out.';
comment on column bridge.ghl_accounts.event_at is 'GHL''s own time of the last INSTALL or UNINSTALL: an older one that comes later changes nothing.';

create or replace function bridge.installation_json(account bridge.ghl_accounts) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'installationId', account.id,
    'locationId', account.location_id,
    'companyId', account.company_id,
    'userType', account.user_type,
    'status', account.status,
    'scopes', account.scopes,
    'locationName', account.location_name,
    'companyName', account.company_name,
    'providerType', account.provider_type,
    'userId', account.user_id,
    'versionId', account.version_id,
    'isBulk', account.is_bulk,
    'whiteLabelDomain', account.white_label_domain,
    'problem', account.problem,
    'tokenExpiresAt', bridge.to_ms(account.token_expires_at),
    'refreshedAt', bridge.to_ms(account.refreshed_at),
    'checkedAt', bridge.to_ms(account.checked_at),
    'installedAt', bridge.to_ms(account.installed_at),
    'uninstalledAt', bridge.to_ms(account.uninstalled_at))
$$;

-- Internal. An INSTALL that is younger than the UNINSTALL.
create or replace function bridge.is_revived(account bridge.ghl_accounts, happened_at timestamptz) returns boolean
language sql stable as $$
  select account.status = 'uninstalled' and happened_at > coalesce(account.event_at, '-infinity')
$$;

-- A new grant ends whatever refresh was under way: its holder would write the old grant's tokens over the new ones.
-- "askedAt" is of a token that was minted without a person: one that was asked for before the app was removed is dead.
create or replace function bridge.save_installation(args jsonb) returns jsonb
language plpgsql as $$
declare
  saved bridge.ghl_accounts;
begin
  insert into bridge.ghl_accounts as account
    (location_id, company_id, user_type, status, scopes, access_token, refresh_token, token_expires_at,
     user_id, version_id, is_bulk, location_name, refreshed_at)
  values
    (args->>'locationId', args->>'companyId', args->>'userType', 'active', args->>'scopes',
     args->>'accessToken', args->>'refreshToken', bridge.from_ms((args->>'expiresAt')::bigint),
     args->>'userId', args->>'versionId', coalesce((args->>'isBulk')::boolean, false), args->>'locationName', now())
  on conflict do nothing
  returning * into saved;
  if not found then
    update bridge.ghl_accounts account
    set company_id = coalesce(args->>'companyId', account.company_id), user_type = args->>'userType', status = 'active',
      scopes = args->>'scopes', access_token = args->>'accessToken', refresh_token = args->>'refreshToken',
      token_expires_at = bridge.from_ms((args->>'expiresAt')::bigint), refresh_holder = null, refresh_until = null,
      user_id = coalesce(args->>'userId', account.user_id), version_id = coalesce(args->>'versionId', account.version_id),
      is_bulk = coalesce((args->>'isBulk')::boolean, account.is_bulk),
      location_name = coalesce(args->>'locationName', account.location_name),
      problem = null, refreshed_at = now(), uninstalled_at = null,
      -- What agents wrote to an app that was not there is not sent by the next one; a mere reconnect starts nothing anew.
      installed_at = case when account.status = 'uninstalled' then now() else account.installed_at end,
      updated_at = now()
    where case when args->>'locationId' is null
        then account.location_id is null and account.company_id = args->>'companyId'
        else account.location_id = args->>'locationId' end
      and (args->>'askedAt' is null or account.uninstalled_at is null
        or account.uninstalled_at <= bridge.from_ms((args->>'askedAt')::bigint))
    returning * into saved;
  end if;
  if saved.id is null then
    return null;
  end if;
  perform bridge.announce('installation', coalesce(saved.location_id, saved.company_id));
  return bridge.installation_json(saved);
end
$$;

create or replace function bridge.read_tokens(args jsonb) returns jsonb
language sql stable as $$
  select bridge.tokens_json(account) from bridge.ghl_accounts account
  where account.id = args->>'installationId' and account.access_token is not null
$$;

create or replace function bridge.begin_refresh(args jsonb) returns jsonb
language plpgsql as $$
declare
  held bridge.ghl_accounts;
begin
  update bridge.ghl_accounts account
  set refresh_holder = args->>'holder', refresh_until = bridge.after_ms((args->>'holdMs')::bigint)
  where account.id = args->>'installationId' and account.access_token is not null
    and (account.refresh_until is null or account.refresh_until <= clock_timestamp()
      or account.refresh_holder = args->>'holder')
  returning * into held;
  return case when held.id is not null then bridge.tokens_json(held) end;
end
$$;

-- Accepted as long as nobody else has taken the right since, even after its time: the pair is the only one GHL honours.
create or replace function bridge.finish_refresh(args jsonb) returns jsonb
language plpgsql as $$
begin
  update bridge.ghl_accounts account
  set access_token = args->>'accessToken', refresh_token = args->>'refreshToken',
    token_expires_at = bridge.from_ms((args->>'expiresAt')::bigint), scopes = coalesce(args->>'scopes', account.scopes),
    status = 'active', problem = null, refreshed_at = now(), refresh_until = null, updated_at = now()
  where account.id = args->>'installationId' and account.refresh_holder = args->>'holder';
  if not found then
    raise exception 'the right to refresh these tokens was lost' using errcode = 'BR001';
  end if;
  return 'true';
end
$$;

create or replace function bridge.find_installation_by_id(args jsonb) returns jsonb
language sql stable as $$
  select bridge.installation_json(account) from bridge.ghl_accounts account where account.id = args->>'installationId'
$$;

create or replace function bridge.find_company_installation(args jsonb) returns jsonb
language sql stable as $$
  select bridge.installation_json(account) from bridge.ghl_accounts account
  where account.location_id is null and account.company_id = args->>'companyId'
$$;

-- GHL says that the app is installed here. Names and domains are kept whatever the age of the event; what was uninstalled
-- comes back only by an event that is younger than the one that removed it.
create or replace function bridge.note_install(args jsonb) returns jsonb
language plpgsql as $$
declare
  happened_at timestamptz := coalesce(bridge.from_ms((args->>'eventAt')::bigint), clock_timestamp());
  noted bridge.ghl_accounts;
begin
  insert into bridge.ghl_accounts
    (location_id, company_id, user_type, status, scopes, token_expires_at, event_at)
  values (args->>'locationId', args->>'companyId', 'Location', 'pending', '', now(), happened_at)
  on conflict do nothing;
  update bridge.ghl_accounts account
  set company_id = coalesce(args->>'companyId', account.company_id),
    company_name = coalesce(args->>'companyName', account.company_name),
    user_id = coalesce(args->>'userId', account.user_id),
    white_label_domain = coalesce(args->>'whiteLabelDomain', account.white_label_domain),
    version_id = case when account.version_id is null or happened_at >= coalesce(account.event_at, '-infinity')
      then coalesce(args->>'versionId', account.version_id) else account.version_id end,
    status = case when bridge.is_revived(account, happened_at) then 'pending' else account.status end,
    installed_at = case when bridge.is_revived(account, happened_at) then now() else account.installed_at end,
    uninstalled_at = case when bridge.is_revived(account, happened_at) then null else account.uninstalled_at end,
    event_at = greatest(account.event_at, happened_at),
    updated_at = now()
  where account.location_id = args->>'locationId'
  returning * into noted;
  perform bridge.announce('installation', noted.location_id);
  return bridge.installation_json(noted);
end
$$;

-- The app was removed from a location, or from an agency with all its locations. Tokens go at once; numbers, messages and
-- settings stay for the next installation. An event that is older than what GHL granted or said since changes nothing (5 s
-- for clocks that differ). A location that is not known yet is marked, in case its INSTALL comes later. Answers which
-- locations are without the app by this event.
create or replace function bridge.uninstall(args jsonb) returns jsonb
language plpgsql as $$
declare
  happened_at timestamptz := coalesce(bridge.from_ms((args->>'eventAt')::bigint), clock_timestamp());
  gone bridge.ghl_accounts;
  locations jsonb := '[]';
begin
  if args->>'locationId' is not null then
    insert into bridge.ghl_accounts (location_id, company_id, user_type, status, scopes, token_expires_at, event_at, uninstalled_at)
    values (args->>'locationId', args->>'companyId', 'Location', 'uninstalled', '', now(), happened_at, now())
    on conflict do nothing;
  end if;
  for gone in
    update bridge.ghl_accounts account
    set status = 'uninstalled', access_token = null, refresh_token = null, refresh_holder = null, refresh_until = null,
      problem = null, event_at = happened_at, uninstalled_at = now(), updated_at = now()
    where case when args->>'locationId' is null then account.company_id = args->>'companyId'
        else account.location_id = args->>'locationId' end
      and account.status <> 'uninstalled'
      and (account.event_at is null or account.event_at <= happened_at)
      and (account.refreshed_at is null or account.refreshed_at <= happened_at + interval '5 seconds')
    returning *
  loop
    if gone.location_id is not null then
      locations := locations || to_jsonb(gone.location_id);
    end if;
    perform bridge.announce('installation', coalesce(gone.location_id, gone.company_id));
  end loop;
  return locations;
end
$$;

-- The location runs another version of the app now.
create or replace function bridge.note_version(args jsonb) returns jsonb
language plpgsql as $$
begin
  update bridge.ghl_accounts account set version_id = args->>'versionId', updated_at = now()
  where case when args->>'locationId' is null then account.location_id is null and account.company_id = args->>'companyId'
    else account.location_id = args->>'locationId' end;
  return to_jsonb(found);
end
$$;

-- What GHL says a location is called; absent members change nothing.
create or replace function bridge.describe_installation(args jsonb) returns jsonb
language plpgsql as $$
begin
  update bridge.ghl_accounts account
  set location_name = coalesce(args->>'locationName', account.location_name),
    company_id = coalesce(args->>'companyId', account.company_id),
    white_label_domain = coalesce(args->>'whiteLabelDomain', account.white_label_domain), updated_at = now()
  where account.location_id = args->>'locationId'
    and (args->>'locationName' is distinct from account.location_name
      or args->>'companyId' is distinct from account.company_id
      or args->>'whiteLabelDomain' is distinct from account.white_label_domain);
  return to_jsonb(found);
end
$$;

-- How the last attempt to use these tokens went; without a problem it went well. "isCheck": made to find out.
create or replace function bridge.note_attempt(args jsonb) returns jsonb
language plpgsql as $$
begin
  update bridge.ghl_accounts account
  set problem = nullif(args->'problem', 'null'), updated_at = now(),
    checked_at = case when (args->>'isCheck')::boolean and not args ? 'problem' then now() else account.checked_at end
  where account.id = args->>'installationId' and account.status <> 'uninstalled';
  return to_jsonb(found);
end
$$;

-- Internal. 'expiring' is what the hourly refresh takes in hand, with an hour to spare.
create or replace function bridge.installation_health(account bridge.ghl_accounts) returns text
language sql stable as $$
  select case
    when account.status <> 'active' then account.status
    when account.token_expires_at <= now() then 'expired'
    when account.token_expires_at <= now() + interval '2 hours' then 'expiring'
    else 'healthy' end
$$;

-- Internal. The order of the list: by name, those without one by id.
create or replace function bridge.installation_rank(account bridge.ghl_accounts) returns text
language sql immutable as $$
  select lower(coalesce(account.location_name, account.location_id, account.company_id)) || chr(1) || account.id
$$;

-- One page, in the order of names. Text is compared byte by byte, so that the cursor means the same on every server.
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

create or replace function bridge.count_installations(args jsonb) returns jsonb
language sql stable as $$
  select coalesce(jsonb_object_agg(counted.health, counted.count), '{}')
  from (
    select bridge.installation_health(account) as health, count(*) as count
    from bridge.ghl_accounts account group by 1
  ) counted
$$;

-- Domains of agencies that show our pages under their own name: of one location's agency, or all.
create or replace function bridge.white_label_domains(args jsonb) returns jsonb
language sql stable as $$
  select coalesce(jsonb_agg(distinct account.white_label_domain), '[]')
  from bridge.ghl_accounts account
  where account.white_label_domain is not null and account.status <> 'uninstalled'
    and (args->>'locationId' is null or account.location_id = args->>'locationId'
      or account.company_id = (
        select own.company_id from bridge.ghl_accounts own where own.location_id = args->>'locationId'))
$$;

create or replace function bridge.list_sessions_of(args jsonb) returns jsonb
language sql stable as $$
  select coalesce(jsonb_agg(bridge.session_json(session) order by session.seq), '[]')
  from bridge.sessions session
  where session.location_id in (select jsonb_array_elements_text(args->'locationIds'))
$$;

create table if not exists bridge.sync_status (
  kind text not null,
  scope text not null,
  state text not null constraint sync_status_state check (state in ('running', 'done', 'failed')),
  params text not null default '',
  cursor text,
  total int,
  done int not null default 0,
  failed int not null default 0,
  message text,
  holder text,
  until timestamptz,
  started_at timestamptz not null default now(),
  finished_at timestamptz,
  updated_at timestamptz not null default now(),
  constraint sync_status_pk primary key (kind, scope)
);
comment on table bridge.sync_status is 'Long work, one row per kind and scope: what the last run did, or the running one has done so far.';
comment on column bridge.sync_status.scope is 'What it is about: a location, an agency, or "all".';
comment on column bridge.sync_status.params is 'What was asked for; a run with other params does not go on where this one stopped.';
comment on column bridge.sync_status.cursor is 'Where to go on after an interruption, in the words of the work itself. Null at its start and after its end.';
comment on column bridge.sync_status.until is 'The holder counts as dead after this.';

create or replace function bridge.sync_json(sync bridge.sync_status) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'kind', sync.kind,
    'scope', sync.scope,
    'state', case when sync.state = 'running' and sync.until <= clock_timestamp() then 'interrupted' else sync.state end,
    'cursor', sync.cursor,
    'total', sync.total,
    'done', sync.done,
    'failed', sync.failed,
    'message', sync.message,
    'startedAt', bridge.to_ms(sync.started_at),
    'finishedAt', bridge.to_ms(sync.finished_at))
$$;

-- One run at a time. One that stopped half way is gone on with where it stopped, counts included, when the same was asked.
create or replace function bridge.begin_sync(args jsonb) returns jsonb
language plpgsql as $$
declare
  held bridge.sync_status;
begin
  insert into bridge.sync_status (kind, scope, state, params, holder, until)
  values (args->>'kind', args->>'scope', 'running', coalesce(args->>'params', ''), args->>'holder',
    bridge.after_ms((args->>'holdMs')::bigint))
  on conflict do nothing
  returning * into held;
  if not found then
    update bridge.sync_status sync
    set state = 'running', params = coalesce(args->>'params', ''), holder = args->>'holder',
      until = bridge.after_ms((args->>'holdMs')::bigint),
      cursor = case when bridge.is_resumable(sync, args) then sync.cursor end,
      total = case when bridge.is_resumable(sync, args) then sync.total end,
      done = case when bridge.is_resumable(sync, args) then sync.done else 0 end,
      failed = case when bridge.is_resumable(sync, args) then sync.failed else 0 end,
      started_at = case when bridge.is_resumable(sync, args) then sync.started_at else now() end,
      message = null, finished_at = null, updated_at = now()
    where sync.kind = args->>'kind' and sync.scope = args->>'scope'
      and (sync.state <> 'running' or sync.until <= clock_timestamp() or sync.holder = args->>'holder')
    returning * into held;
  end if;
  return case when held.kind is not null then bridge.sync_json(held) end;
end
$$;

-- Internal. A run that ended well, or was about something else, is not gone on with.
create or replace function bridge.is_resumable(sync bridge.sync_status, args jsonb) returns boolean
language sql stable as $$
  select sync.state <> 'done' and sync.cursor is not null and sync.params = coalesce(args->>'params', '')
$$;

-- Absent members stay. BR001 when another holds the run by now.
create or replace function bridge.advance_sync(args jsonb) returns jsonb
language plpgsql as $$
begin
  update bridge.sync_status sync
  set cursor = case when args ? 'cursor' then args->>'cursor' else sync.cursor end,
    total = coalesce((args->>'total')::int, sync.total),
    done = coalesce((args->>'done')::int, sync.done),
    failed = coalesce((args->>'failed')::int, sync.failed),
    message = coalesce(args->>'message', sync.message),
    until = bridge.after_ms((args->>'holdMs')::bigint), updated_at = now()
  where sync.kind = args->>'kind' and sync.scope = args->>'scope' and sync.holder = args->>'holder'
    and sync.state = 'running';
  if not found then
    raise exception 'another runs this work now' using errcode = 'BR001';
  end if;
  return 'true';
end
$$;

create or replace function bridge.finish_sync(args jsonb) returns jsonb
language plpgsql as $$
begin
  update bridge.sync_status sync
  set state = args->>'state', message = args->>'message', until = null, finished_at = now(), updated_at = now(),
    cursor = case when args->>'state' = 'failed' then sync.cursor end
  where sync.kind = args->>'kind' and sync.scope = args->>'scope' and sync.holder = args->>'holder';
  return to_jsonb(found);
end
$$;

create or replace function bridge.list_syncs(args jsonb) returns jsonb
language sql stable as $$
  select coalesce(jsonb_agg(listed.json order by listed.updated_at desc), '[]')
  from (
    select bridge.sync_json(sync) as json, sync.updated_at from bridge.sync_status sync
    where (args->>'kind' is null or sync.kind = args->>'kind')
      and (args->>'scope' is null or sync.scope = args->>'scope')
    order by sync.updated_at desc limit 200
  ) listed
$$;

select bridge.finish_migration(13, '0013_installs', 1, array[
  'find_installation_by_id', 'find_company_installation', 'note_install', 'uninstall', 'note_version',
  'describe_installation', 'note_attempt', 'page_installations', 'count_installations', 'white_label_domains',
  'list_sessions_of', 'begin_sync', 'advance_sync', 'finish_sync', 'list_syncs']);
notify pgrst, 'reload schema';

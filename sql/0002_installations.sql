-- 0002 GHL installations with their sealed tokens, OAuth states and app events. Why: everything towards GHL needs a token. Oldest program: 1.

create table if not exists bridge.ghl_accounts (
  id text not null default gen_random_uuid()::text constraint ghl_accounts_pk primary key,
  location_id text constraint ghl_accounts_one_per_location unique,
  company_id text,
  user_type text not null constraint ghl_accounts_user_type check (user_type in ('Location', 'Company')),
  status text not null constraint ghl_accounts_status check (status in ('active', 'needs_reconnect', 'uninstalled')),
  scopes text not null,
  location_name text,
  provider_type text constraint ghl_accounts_provider_type check (provider_type in ('Custom', 'SMS')),
  access_token text not null,
  refresh_token text,
  token_expires_at timestamptz not null,
  refresh_holder text,
  refresh_until timestamptz,
  installed_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint ghl_accounts_location_or_company check (location_id is not null or company_id is not null)
);
create unique index if not exists ghl_accounts_one_per_company
  on bridge.ghl_accounts (company_id) where location_id is null;
comment on table bridge.ghl_accounts is 'One row per installation of our app: a location, or an agency (no location_id).';
comment on column bridge.ghl_accounts.access_token is 'Sealed by the program.';
comment on column bridge.ghl_accounts.refresh_token is 'Sealed by the program. Single use.';
comment on column bridge.ghl_accounts.refresh_holder is
  'Who may spend the refresh token until refresh_until. Stays after the refresh, so that a repeated finish is recognised.';

create table if not exists bridge.oauth_states (
  state_hash text not null constraint oauth_states_pk primary key,
  expires_at timestamptz not null
);
comment on table bridge.oauth_states is 'OAuth round trips under way; each state works once.';

create table if not exists bridge.webhook_events (
  webhook_id text not null constraint webhook_events_pk primary key,
  type text not null,
  location_id text,
  payload text not null,
  received_at timestamptz not null default now()
);
create index if not exists webhook_events_by_location on bridge.webhook_events (location_id, received_at);
comment on table bridge.webhook_events is 'Signed app events of GHL, once each.';
comment on column bridge.webhook_events.payload is 'Sealed by the program.';

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
    'providerType', account.provider_type,
    'tokenExpiresAt', bridge.to_ms(account.token_expires_at),
    'installedAt', bridge.to_ms(account.installed_at))
$$;

create or replace function bridge.tokens_json(account bridge.ghl_accounts) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'locationId', account.location_id,
    'companyId', account.company_id,
    'accessToken', account.access_token,
    'refreshToken', account.refresh_token,
    'expiresAt', bridge.to_ms(account.token_expires_at))
$$;

-- A new grant ends whatever refresh was under way: its holder would write the old grant's tokens over the new ones.
create or replace function bridge.save_installation(args jsonb) returns jsonb
language plpgsql as $$
declare
  saved bridge.ghl_accounts;
begin
  insert into bridge.ghl_accounts as account
    (location_id, company_id, user_type, status, scopes, access_token, refresh_token, token_expires_at)
  values
    (args->>'locationId', args->>'companyId', args->>'userType', 'active', args->>'scopes',
     args->>'accessToken', args->>'refreshToken', bridge.from_ms((args->>'expiresAt')::bigint))
  on conflict do nothing
  returning * into saved;
  if not found then
    update bridge.ghl_accounts account
    set company_id = coalesce(args->>'companyId', account.company_id), user_type = args->>'userType', status = 'active',
      scopes = args->>'scopes', access_token = args->>'accessToken', refresh_token = args->>'refreshToken',
      token_expires_at = bridge.from_ms((args->>'expiresAt')::bigint), refresh_holder = null, refresh_until = null,
      installed_at = now(), updated_at = now()
    where case when args->>'locationId' is null
      then account.location_id is null and account.company_id = args->>'companyId'
      else account.location_id = args->>'locationId' end
    returning * into saved;
  end if;
  return bridge.installation_json(saved);
end
$$;

create or replace function bridge.find_installation(args jsonb) returns jsonb
language sql stable as $$
  select bridge.installation_json(account) from bridge.ghl_accounts account
  where account.location_id = args->>'locationId'
$$;

create or replace function bridge.list_installations(args jsonb) returns jsonb
language sql stable as $$
  select coalesce(jsonb_agg(bridge.installation_json(account) order by account.installed_at, account.id), '[]')
  from bridge.ghl_accounts account
$$;

create or replace function bridge.read_tokens(args jsonb) returns jsonb
language sql stable as $$
  select bridge.tokens_json(account) from bridge.ghl_accounts account where account.id = args->>'installationId'
$$;

create or replace function bridge.begin_refresh(args jsonb) returns jsonb
language plpgsql as $$
declare
  held bridge.ghl_accounts;
begin
  update bridge.ghl_accounts account
  set refresh_holder = args->>'holder', refresh_until = bridge.after_ms((args->>'holdMs')::bigint)
  where account.id = args->>'installationId'
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
    status = 'active', refresh_until = null, updated_at = now()
  where account.id = args->>'installationId' and account.refresh_holder = args->>'holder';
  if not found then
    raise exception 'the right to refresh these tokens was lost' using errcode = 'BR001';
  end if;
  return 'true';
end
$$;

create or replace function bridge.abandon_refresh(args jsonb) returns jsonb
language plpgsql as $$
begin
  update bridge.ghl_accounts account
  set refresh_holder = null, refresh_until = null, updated_at = now(),
    status = case when (args->>'needsReconnect')::boolean then 'needs_reconnect' else account.status end
  where account.id = args->>'installationId' and account.refresh_holder = args->>'holder';
  return to_jsonb(found);
end
$$;

create or replace function bridge.remember_provider_type(args jsonb) returns jsonb
language plpgsql as $$
begin
  update bridge.ghl_accounts account set provider_type = args->>'providerType', updated_at = now()
  where account.location_id = args->>'locationId';
  return to_jsonb(found);
end
$$;

create or replace function bridge.create_oauth_state(args jsonb) returns jsonb
language plpgsql as $$
begin
  insert into bridge.oauth_states (state_hash, expires_at)
  values (args->>'stateHash', bridge.after_ms((args->>'ttlMs')::bigint))
  on conflict do nothing;
  return 'true';
end
$$;

create or replace function bridge.take_oauth_state(args jsonb) returns jsonb
language plpgsql as $$
declare
  is_valid boolean;
begin
  delete from bridge.oauth_states state where state.state_hash = args->>'stateHash'
  returning state.expires_at > clock_timestamp() into is_valid;
  return to_jsonb(coalesce(is_valid, false));
end
$$;

create or replace function bridge.record_webhook_event(args jsonb) returns jsonb
language plpgsql as $$
begin
  insert into bridge.webhook_events (webhook_id, type, location_id, payload)
  values (args->>'webhookId', args->>'type', args->>'locationId', args->>'payload')
  on conflict do nothing;
  return to_jsonb(case when found then 'recorded' else 'duplicate' end);
end
$$;

select bridge.finish_migration(2, '0002_installations', 1, array[
  'save_installation', 'find_installation', 'list_installations', 'read_tokens', 'begin_refresh', 'finish_refresh',
  'abandon_refresh', 'remember_provider_type', 'create_oauth_state', 'take_oauth_state', 'record_webhook_event']);
notify pgrst, 'reload schema';

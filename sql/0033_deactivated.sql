-- 0033 An installation that the operator switches off. Why: an uninstall would not hold, because GHL still lists the app there and the next sync brings it back. Oldest program: 1.

alter table bridge.ghl_accounts add column if not exists deactivated_at timestamptz;
comment on column bridge.ghl_accounts.deactivated_at is
  'Since when the operator has switched it off, whatever GHL says. Ends by his word, or by the code of a person who installs it anew. Those of one time were switched off together.';

-- Internal. 'deactivated' hides what GHL says, except that the app was removed.
create or replace function bridge.installation_status(account bridge.ghl_accounts) returns text
language sql immutable as $$
  select case when account.deactivated_at is not null and account.status <> 'uninstalled' then 'deactivated'
    else account.status end
$$;

create or replace function bridge.installation_json(account bridge.ghl_accounts) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'installationId', account.id,
    'locationId', account.location_id,
    'companyId', account.company_id,
    'userType', account.user_type,
    'status', bridge.installation_status(account),
    'scopes', account.scopes,
    'locationName', account.location_name,
    'timeZone', account.time_zone,
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

create or replace function bridge.installation_health(account bridge.ghl_accounts) returns text
language sql stable as $$
  select case
    when bridge.installation_status(account) <> 'active' then bridge.installation_status(account)
    when account.token_expires_at <= now() then 'expired'
    when account.token_expires_at <= now() + interval '2 hours' then 'expiring'
    else 'healthy' end
$$;

create or replace function bridge.census(args jsonb) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'messages', (select coalesce(jsonb_agg(jsonb_build_object('direction', direction, 'state', state, 'count', counted)), '[]')
      from (select message.direction, message.state, count(*) as counted from bridge.messages message
        where message.created_at >= now() - interval '1 day' and not message.is_history
        group by message.direction, message.state) by_state),
    'queue', (select jsonb_build_object(
        'waiting', count(*) filter (where lane.state <> 'parked'),
        'parked', count(*) filter (where lane.state = 'parked'),
        'oldestWaitingMs', round(extract(epoch from
          clock_timestamp() - min(job.created_at) filter (where lane.state <> 'parked')) * 1000))
        || jsonb_build_object('dead', (select count(*) from bridge.jobs buried where buried.state = 'dead'))
      from bridge.jobs job join bridge.lanes lane on lane.key = job.lane
      where job.state = 'waiting'),
    'sessions', (select coalesce(jsonb_agg(jsonb_build_object('status', status, 'count', counted)), '[]')
      from (select session.status, count(*) as counted from bridge.sessions session group by session.status) by_status),
    'installations', (select coalesce(jsonb_agg(jsonb_build_object('status', status, 'count', counted)), '[]')
      from (select bridge.installation_status(account) as status, count(*) as counted from bridge.ghl_accounts account group by 1) by_status))
$$;

-- Without the app, or switched off: nobody serves their numbers.
create or replace function bridge.removed_locations(args jsonb) returns jsonb
language sql stable as $$
  select coalesce(jsonb_agg(account.location_id), '[]')
  from bridge.ghl_accounts account
  where bridge.installation_status(account) in ('uninstalled', 'deactivated')
    and account.location_id in (select jsonb_array_elements_text(args->'locations'))
$$;

-- An agency takes its locations with it. Tokens stay, so that nobody has to install anything afterwards.
create or replace function bridge.deactivate_installation(args jsonb) returns jsonb
language plpgsql as $$
declare
  gone bridge.ghl_accounts;
begin
  for gone in
    update bridge.ghl_accounts account set deactivated_at = now(), updated_at = now()
    from bridge.ghl_accounts named
    where named.id = args->>'installationId' and named.status <> 'uninstalled'
      and (account.id = named.id or named.location_id is null and account.company_id = named.company_id)
      and account.status <> 'uninstalled' and account.deactivated_at is null
    returning account.*
  loop
    perform bridge.announce('installation', coalesce(gone.location_id, gone.company_id));
  end loop;
  return (select bridge.installation_json(account) from bridge.ghl_accounts account where account.id = args->>'installationId');
end
$$;

-- An agency brings those back that it took with it. Answers which locations are served again by this.
create or replace function bridge.activate_installation(args jsonb) returns jsonb
language plpgsql as $$
declare
  back bridge.ghl_accounts;
  locations jsonb := '[]';
begin
  for back in
    update bridge.ghl_accounts account set deactivated_at = null, updated_at = now()
    from bridge.ghl_accounts named
    where named.id = args->>'installationId'
      and (account.id = named.id or named.location_id is null and account.company_id = named.company_id)
      and account.deactivated_at = named.deactivated_at
    returning account.*
  loop
    if back.location_id is not null then
      locations := locations || to_jsonb(back.location_id);
    end if;
    perform bridge.announce('installation', coalesce(back.location_id, back.company_id));
  end loop;
  return locations;
end
$$;

-- A new grant ends whatever refresh was under way: its holder would write the old grant's tokens over the new ones.
-- "askedAt" is of a token that was minted without a person: one that was asked for before the app was removed is dead, and
-- none brings back what was switched off. A person's grant does, for an agency with what it took along.
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
    if args->>'askedAt' is null and args->>'locationId' is null then
      perform bridge.activate_installation(jsonb_build_object('installationId', account.id)) from bridge.ghl_accounts account
      where account.location_id is null and account.company_id = args->>'companyId';
    end if;
    update bridge.ghl_accounts account
    set company_id = coalesce(args->>'companyId', account.company_id), user_type = args->>'userType', status = 'active',
      scopes = args->>'scopes', access_token = args->>'accessToken', refresh_token = args->>'refreshToken',
      token_expires_at = bridge.from_ms((args->>'expiresAt')::bigint), refresh_holder = null, refresh_until = null,
      user_id = coalesce(args->>'userId', account.user_id), version_id = coalesce(args->>'versionId', account.version_id),
      is_bulk = coalesce((args->>'isBulk')::boolean, account.is_bulk),
      location_name = coalesce(args->>'locationName', account.location_name),
      problem = null, refreshed_at = now(), uninstalled_at = null, deactivated_at = null,
      -- What agents wrote to an app that was not there is not sent by the next one; a mere reconnect starts nothing anew.
      installed_at = case when account.status = 'uninstalled' then now() else account.installed_at end,
      updated_at = now()
    where case when args->>'locationId' is null
        then account.location_id is null and account.company_id = args->>'companyId'
        else account.location_id = args->>'locationId' end
      and (args->>'askedAt' is null or account.deactivated_at is null and (account.uninstalled_at is null
        or account.uninstalled_at <= bridge.from_ms((args->>'askedAt')::bigint)))
    returning * into saved;
  end if;
  if saved.id is null then
    return null;
  end if;
  perform bridge.announce('installation', coalesce(saved.location_id, saved.company_id));
  return bridge.installation_json(saved);
end
$$;

select bridge.finish_migration(33, '0033_deactivated', 1, array['deactivate_installation', 'activate_installation']);
notify pgrst, 'reload schema';

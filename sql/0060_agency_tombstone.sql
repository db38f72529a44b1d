-- 0060 An agency's removal stands against INSTALL events that are older and come later. Why: only a location's did; an agency removed and told of late stayed pending for ever, with each location that nobody had heard of. Oldest program: 1.

-- GHL says that the app is installed here, or (without locationId) by this agency. Names and domains are kept whatever the
-- age of the event; what was uninstalled comes back only by an event that is younger than the one that removed it. A location
-- that is new to us went with its agency, when that was removed later than this happened.
create or replace function bridge.note_install(args jsonb) returns jsonb
language plpgsql as $$
declare
  happened_at timestamptz := coalesce(bridge.from_ms((args->>'eventAt')::bigint), clock_timestamp());
  gone_at timestamptz := (
    select agency.event_at from bridge.ghl_accounts agency
    where args->>'locationId' is not null and agency.location_id is null and agency.company_id = args->>'companyId'
      and agency.status = 'uninstalled' and agency.event_at >= happened_at);
  noted bridge.ghl_accounts;
begin
  insert into bridge.ghl_accounts
    (location_id, company_id, user_type, status, scopes, token_expires_at, event_at, uninstalled_at)
  values (args->>'locationId', args->>'companyId', case when args->>'locationId' is null then 'Company' else 'Location' end,
    case when gone_at is null then 'pending' else 'uninstalled' end, '', now(), coalesce(gone_at, happened_at),
    case when gone_at is not null then now() end)
  on conflict do nothing;
  update bridge.ghl_accounts account
  set company_id = coalesce(args->>'companyId', account.company_id),
    company_name = coalesce(args->>'companyName', account.company_name),
    user_id = coalesce(args->>'userId', account.user_id),
    white_label_domain = coalesce(args->>'whiteLabelDomain', account.white_label_domain),
    version_id = case when happened_at >= coalesce(account.version_at, '-infinity')
      then coalesce(args->>'versionId', account.version_id) else account.version_id end,
    version_at = case when args->>'versionId' is not null then greatest(account.version_at, happened_at)
      else account.version_at end,
    status = case when bridge.is_revived(account, happened_at) then 'pending' else account.status end,
    installed_at = case when bridge.is_revived(account, happened_at) then now() else account.installed_at end,
    uninstalled_at = case when bridge.is_revived(account, happened_at) then null else account.uninstalled_at end,
    event_at = greatest(account.event_at, happened_at),
    updated_at = now()
  where case when args->>'locationId' is null then account.location_id is null and account.company_id = args->>'companyId'
    else account.location_id = args->>'locationId' end
  returning * into noted;
  perform bridge.announce('installation', coalesce(noted.location_id, noted.company_id));
  return bridge.installation_json(noted);
end
$$;

-- The app was removed from a location, or from an agency with all its locations. Tokens go at once; numbers, messages and
-- settings stay for the next installation. An event that is older than what GHL granted or said since changes nothing: where
-- clocks that differ leave a doubt, the program asks GHL. What is not known yet is marked, in case its INSTALL comes later;
-- what is removed already is marked with the later removal. Answers which locations are without the app by this event.
create or replace function bridge.uninstall(args jsonb) returns jsonb
language plpgsql as $$
declare
  happened_at timestamptz := coalesce(bridge.from_ms((args->>'eventAt')::bigint), clock_timestamp());
  gone bridge.ghl_accounts;
  locations jsonb := '[]';
begin
  insert into bridge.ghl_accounts (location_id, company_id, user_type, status, scopes, token_expires_at, event_at, uninstalled_at)
  select args->>'locationId', args->>'companyId', case when args->>'locationId' is null then 'Company' else 'Location' end,
    'uninstalled', '', now(), happened_at, now()
  where coalesce(args->>'locationId', args->>'companyId') is not null
  on conflict do nothing;
  update bridge.ghl_accounts account set event_at = happened_at, updated_at = now()
  where case when args->>'locationId' is null then account.company_id = args->>'companyId'
      else account.location_id = args->>'locationId' end
    and account.status = 'uninstalled' and account.event_at < happened_at;
  for gone in
    update bridge.ghl_accounts account
    set status = 'uninstalled', access_token = null, refresh_token = null, refresh_holder = null, refresh_until = null,
      problem = null, event_at = happened_at, uninstalled_at = now(), updated_at = now()
    where case when args->>'locationId' is null then account.company_id = args->>'companyId'
        else account.location_id = args->>'locationId' end
      and account.status <> 'uninstalled'
      and (account.event_at is null or account.event_at <= happened_at)
      and (account.refreshed_at is null or account.refreshed_at <= happened_at)
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

select bridge.finish_migration(60, '0060_agency_tombstone', 1, array['note_install', 'uninstall']);
notify pgrst, 'reload schema';

-- 0034 App events in the order in which they happened, and the agency's own. Why: a late UNINSTALL took the tokens of a newer installation, a late UPDATE its version, and an agency's white-label domain was not kept. Oldest program: 1.

alter table bridge.ghl_accounts add column if not exists version_at timestamptz;
comment on column bridge.ghl_accounts.version_at is 'GHL''s own time of the event that named version_id: an older one that comes later changes nothing.';

-- GHL says that the app is installed here, or (without locationId) by this agency. Names and domains are kept whatever the
-- age of the event; what was uninstalled comes back only by an event that is younger than the one that removed it.
create or replace function bridge.note_install(args jsonb) returns jsonb
language plpgsql as $$
declare
  happened_at timestamptz := coalesce(bridge.from_ms((args->>'eventAt')::bigint), clock_timestamp());
  noted bridge.ghl_accounts;
begin
  insert into bridge.ghl_accounts
    (location_id, company_id, user_type, status, scopes, token_expires_at, event_at)
  values (args->>'locationId', args->>'companyId', case when args->>'locationId' is null then 'Company' else 'Location' end,
    'pending', '', now(), happened_at)
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

-- It runs another version of the app now.
create or replace function bridge.note_version(args jsonb) returns jsonb
language plpgsql as $$
declare
  happened_at timestamptz := coalesce(bridge.from_ms((args->>'eventAt')::bigint), clock_timestamp());
begin
  update bridge.ghl_accounts account
  set version_id = args->>'versionId', version_at = happened_at, updated_at = now()
  where case when args->>'locationId' is null then account.location_id is null and account.company_id = args->>'companyId'
      else account.location_id = args->>'locationId' end
    and happened_at >= coalesce(account.version_at, '-infinity');
  return to_jsonb(found);
end
$$;

-- The app was removed from a location, or from an agency with all its locations. Tokens go at once; numbers, messages and
-- settings stay for the next installation. An event that is older than what GHL granted or said since changes nothing: where
-- clocks that differ leave a doubt, the program asks GHL. A location that is not known yet is marked, in case its INSTALL
-- comes later. Answers which locations are without the app by this event.
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

select bridge.finish_migration(34, '0034_install_events', 1, array['note_install', 'note_version', 'uninstall']);
notify pgrst, 'reload schema';

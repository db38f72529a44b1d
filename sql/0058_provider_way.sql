-- 0058 How a location's provider takes messages: by contact, or by conversation. Why: the address was remembered per process, so each start and each node paid for it with refused calls. Oldest program: 1.

alter table bridge.ghl_accounts add column if not exists provider_address text;
alter table bridge.ghl_accounts drop constraint if exists ghl_accounts_provider_address;
alter table bridge.ghl_accounts add constraint ghl_accounts_provider_address check (provider_address in ('conversation'));
comment on column bridge.ghl_accounts.provider_address is
  '"conversation" where GHL refuses messages that name the contact. Null: the contact, as usual.';

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
    'providerAddress', account.provider_address,
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

-- Absent members are as usual.
create or replace function bridge.remember_provider_way(args jsonb) returns jsonb
language plpgsql as $$
begin
  update bridge.ghl_accounts account
  set provider_type = args->>'type', provider_address = args->>'address', updated_at = now()
  where account.location_id = args->>'locationId';
  return to_jsonb(found);
end
$$;

select bridge.finish_migration(58, '0058_provider_way', 1, array['remember_provider_way']);
notify pgrst, 'reload schema';

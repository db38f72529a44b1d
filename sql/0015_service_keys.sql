-- 0015 Service keys of sibling backends, and who did what. Why: others use our tokens, so it must be known who, and stoppable. Oldest program: 1.

create table if not exists bridge.service_keys (
  id text not null constraint service_keys_pk primary key,
  name text not null,
  location_id text,
  scopes text[] not null,
  key_hash text not null constraint service_keys_one_per_hash unique,
  created_at timestamptz not null default now(),
  last_used_at timestamptz,
  revoked_at timestamptz
);
comment on table bridge.service_keys is 'Bearers of sibling backends. A revoked one stays, so that the audit can name it.';
comment on column bridge.service_keys.location_id is 'The only location it may touch; null: every one.';
comment on column bridge.service_keys.key_hash is 'SHA-256 of the key, which has 256 random bits: no salt or stretching is needed. The key itself is nowhere.';

create table if not exists bridge.audit (
  id bigint generated always as identity constraint audit_pk primary key,
  at timestamptz not null default clock_timestamp(),
  caller_kind text not null constraint audit_caller_kind check (caller_kind in ('operator', 'page', 'service')),
  caller_id text,
  action text not null,
  location_id text,
  target text,
  outcome text not null
);
create index if not exists audit_by_location on bridge.audit (location_id, id);
create index if not exists audit_by_time on bridge.audit (at);
comment on table bridge.audit is 'What callers did through the API: every change, and every look at a secret. No bodies, no secrets.';
comment on column bridge.audit.caller_id is 'The service key, or the person at GHL behind a page.';
comment on column bridge.audit.action is 'Method and route.';
comment on column bridge.audit.target is 'What it was done to: an id, or the path of a proxied call.';
comment on column bridge.audit.outcome is 'The HTTP status that the caller got.';

create or replace function bridge.service_key_json(key bridge.service_keys) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'id', key.id,
    'name', key.name,
    'locationId', key.location_id,
    'scopes', to_jsonb(key.scopes),
    'createdAt', bridge.to_ms(key.created_at),
    'lastUsedAt', bridge.to_ms(key.last_used_at))
$$;

create or replace function bridge.create_service_key(args jsonb) returns jsonb
language plpgsql as $$
declare
  created bridge.service_keys;
begin
  insert into bridge.service_keys (id, name, location_id, scopes, key_hash)
  values (args->>'id', args->>'name', args->>'locationId',
    array(select jsonb_array_elements_text(args->'scopes')), args->>'keyHash')
  on conflict (id) do nothing;
  select * into strict created from bridge.service_keys key where key.id = args->>'id';
  return bridge.service_key_json(created);
end
$$;

create or replace function bridge.list_service_keys(args jsonb) returns jsonb
language sql stable as $$
  select coalesce(jsonb_agg(bridge.service_key_json(key) order by key.created_at, key.id), '[]')
  from bridge.service_keys key where key.revoked_at is null
$$;

create or replace function bridge.revoke_service_key(args jsonb) returns jsonb
language plpgsql as $$
begin
  update bridge.service_keys key set revoked_at = coalesce(key.revoked_at, clock_timestamp())
  where key.id = args->>'id';
  return to_jsonb(found);
end
$$;

-- The use is noted once a minute: a busy key would otherwise rewrite its row with every call.
create or replace function bridge.find_service_key(args jsonb) returns jsonb
language plpgsql as $$
declare
  used bridge.service_keys;
begin
  select * into used from bridge.service_keys key
  where key.key_hash = args->>'keyHash' and key.revoked_at is null;
  if not found then
    return null;
  end if;
  if used.last_used_at is null or used.last_used_at < clock_timestamp() - interval '1 minute' then
    update bridge.service_keys key set last_used_at = clock_timestamp() where key.id = used.id;
  end if;
  return bridge.service_key_json(used);
end
$$;

create or replace function bridge.record_audit(args jsonb) returns jsonb
language plpgsql as $$
begin
  insert into bridge.audit (caller_kind, caller_id, action, location_id, target, outcome)
  values (args->>'callerKind', args->>'callerId', args->>'action', args->>'locationId', args->>'target', args->>'outcome');
  return 'true';
end
$$;

create or replace function bridge.list_audit(args jsonb) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'entries', coalesce(jsonb_agg(jsonb_build_object(
      'at', bridge.to_ms(page.at),
      'callerKind', page.caller_kind,
      'callerId', page.caller_id,
      'action', page.action,
      'locationId', page.location_id,
      'target', page.target,
      'outcome', page.outcome) order by page.id desc), '[]'),
    'lastId', min(page.id)::text)
  from (
    select * from bridge.audit entry
    where (args->>'locationId' is null or entry.location_id = args->>'locationId')
      and (args->>'callerId' is null or entry.caller_id = args->>'callerId')
      and (args->>'before' is null or entry.id < (args->>'before')::bigint)
    order by entry.id desc limit (args->>'limit')::int
  ) page
$$;

-- In small batches: the API's time limit is a few seconds. Returns how many went.
create or replace function bridge.prune_audit(args jsonb) returns jsonb
language plpgsql as $$
declare
  gone int;
begin
  delete from bridge.audit entry where entry.id = any (array(
    select old.id from bridge.audit old
    where old.at < bridge.after_ms(-(args->>'keptMs')::bigint) order by old.at limit (args->>'batch')::int));
  get diagnostics gone = row_count;
  return to_jsonb(gone);
end
$$;

select bridge.finish_migration(15, '0015_service_keys', 1, array[
  'create_service_key', 'list_service_keys', 'revoke_service_key', 'find_service_key', 'record_audit', 'list_audit',
  'prune_audit']);
notify pgrst, 'reload schema';

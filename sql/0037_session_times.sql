-- 0037 When a number is tried again, and what a connected number cannot do for a while. Why: "wait" without an hour leaves its owner guessing, and a number that may not write to strangers looked well. Oldest program: 1.

alter table bridge.sessions add column if not exists next_attempt_at timestamptz;
comment on column bridge.sessions.next_attempt_at is
  'When the next connection is tried by itself; null while none is planned.';

alter table bridge.sessions add column if not exists notice jsonb;
comment on column bridge.sessions.notice is
  '{code, message, action, until}: what a number that is connected cannot do until then, in words for its owner.';

comment on column bridge.sessions.problem is
  '{code, message, action, until?, scannedPhone?}: the one thing that is wrong, in words for its owner.';

create or replace function bridge.session_json(session bridge.sessions) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'sessionId', session.id,
    'locationId', session.location_id,
    'status', session.status,
    'phoneNumber', session.phone_number,
    'lid', session.lid,
    'name', session.name,
    'isDefault', session.is_default,
    'problem', session.problem,
    'notice', session.notice,
    'nextAttemptAt', bridge.to_ms(session.next_attempt_at),
    'expectedPhone', session.expected_phone,
    'live', session.live,
    'wish', session.wish,
    'lastSeenAt', bridge.to_ms(session.last_seen_at),
    'pairedAt', bridge.to_ms(session.paired_at),
    'createdAt', bridge.to_ms(session.created_at))
$$;

create or replace function bridge.update_session(args jsonb) returns jsonb
language plpgsql as $$
declare
  patch jsonb := args->'patch';
  location text;
begin
  update bridge.sessions session
  set status = coalesce(patch->>'status', session.status),
    phone_number = case when patch ? 'phoneNumber' then patch->>'phoneNumber' else session.phone_number end,
    lid = case when patch ? 'lid' then patch->>'lid' else session.lid end,
    name = coalesce(session.name, patch->>'name'),
    last_seen_at = case when patch ? 'lastSeenAt' then bridge.from_ms((patch->>'lastSeenAt')::bigint)
      else session.last_seen_at end,
    paired_at = case when patch ? 'pairedAt' then bridge.from_ms((patch->>'pairedAt')::bigint)
      else session.paired_at end,
    problem = case when patch ? 'problem' then nullif(patch->'problem', 'null') else session.problem end,
    notice = case when patch ? 'notice' then nullif(patch->'notice', 'null') else session.notice end,
    next_attempt_at = case when patch ? 'nextAttemptAt' then bridge.from_ms((patch->>'nextAttemptAt')::bigint)
      else session.next_attempt_at end,
    live = case when patch ? 'live' then patch->>'live' else session.live end,
    updated_at = now()
  where session.id = args->>'sessionId'
  returning session.location_id into location;
  if found then
    perform bridge.announce('session', location || ' ' || (args->>'sessionId'));
  end if;
  return to_jsonb(location is not null);
end
$$;

select bridge.finish_migration(37, '0037_session_times', 1, array['update_session']);
notify pgrst, 'reload schema';

-- 0038 A number that was never paired gives way as the default. Why: the first entry of a location stayed its default although nobody had ever scanned it, while another number did the work. Oldest program: 1.

-- Internal. Makes one number the default where none is: the oldest that was ever paired, else the oldest.
create or replace function bridge.ensure_default(location text) returns void
language plpgsql as $$
begin
  update bridge.sessions session set is_default = true
  where session.id = (
      select first.id from bridge.sessions first where first.location_id = location
      order by first.phone_number is null, first.seq limit 1)
    and not exists (select from bridge.sessions other where other.location_id = location and other.is_default);
end
$$;

-- Internal. Call it under bridge.lock_default.
create or replace function bridge.pass_default(location text) returns void
language plpgsql as $$
begin
  update bridge.sessions idle set is_default = false, updated_at = now()
  where idle.location_id = location and idle.is_default and idle.phone_number is null
    and exists (
      select from bridge.sessions paired where paired.location_id = location and paired.phone_number is not null);
  perform bridge.ensure_default(location);
end
$$;

create or replace function bridge.update_session(args jsonb) returns jsonb
language plpgsql as $$
declare
  patch jsonb := args->'patch';
  location text;
  is_new boolean;
begin
  select session.location_id, session.phone_number is null and patch->>'phoneNumber' is not null
  into location, is_new from bridge.sessions session where session.id = args->>'sessionId';
  if is_new then
    perform bridge.lock_default(location);
  end if;
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
  where session.id = args->>'sessionId';
  if not found then
    return 'false';
  end if;
  if is_new then
    perform bridge.pass_default(location);
  end if;
  perform bridge.announce('session', location || ' ' || (args->>'sessionId'));
  return 'true';
end
$$;

select bridge.pass_default(places.location_id)
from (select distinct session.location_id from bridge.sessions session) places;

select bridge.finish_migration(38, '0038_paired_default', 1, array['update_session']);
notify pgrst, 'reload schema';

-- 0007 What each location has decided (groups, label, read state, age of held messages, pinned number, history), and one default number per location. Why: people differ. Oldest program: 1.

create table if not exists bridge.location_settings (
  location_id text not null constraint location_settings_pk primary key,
  groups boolean,
  label boolean,
  mark_read boolean,
  hold_after_minutes int constraint location_settings_hold_after check (hold_after_minutes between 1 and 10080),
  pinned_session_id text
    constraint location_settings_pinned_session references bridge.sessions on delete set null,
  history_days int constraint location_settings_history_days check (history_days between 0 and 90),
  updated_at timestamptz not null default now()
);
create index if not exists location_settings_by_pinned_session on bridge.location_settings (pinned_session_id);
comment on table bridge.location_settings is 'Decisions of the people of a location; null: not decided, the program''s default holds.';

-- Only what was decided: the defaults are the program's.
create or replace function bridge.settings_json(settings bridge.location_settings) returns jsonb
language sql stable as $$
  select jsonb_strip_nulls(jsonb_build_object(
    'groups', settings.groups,
    'label', settings.label,
    'markRead', settings.mark_read,
    'holdAfterMinutes', settings.hold_after_minutes,
    'pinnedSessionId', settings.pinned_session_id,
    'historyDays', settings.history_days))
$$;

create or replace function bridge.read_settings(args jsonb) returns jsonb
language sql stable as $$
  select bridge.settings_json(settings) from bridge.location_settings settings
  where settings.location_id = args->>'locationId'
$$;

-- A key that is absent from the patch leaves its column alone. Null, and nothing is changed, when the number to pin is not
-- one of the location's.
create or replace function bridge.write_settings(args jsonb) returns jsonb
language plpgsql as $$
declare
  patch jsonb := args->'patch';
  written bridge.location_settings;
begin
  if patch->>'pinnedSessionId' is not null then
    perform from bridge.sessions session
    where session.id = patch->>'pinnedSessionId' and session.location_id = args->>'locationId'
    for key share;
    if not found then
      return null;
    end if;
  end if;
  insert into bridge.location_settings (location_id) values (args->>'locationId') on conflict do nothing;
  update bridge.location_settings settings
  set groups = coalesce((patch->>'groups')::boolean, settings.groups),
    label = coalesce((patch->>'label')::boolean, settings.label),
    mark_read = coalesce((patch->>'markRead')::boolean, settings.mark_read),
    hold_after_minutes = coalesce((patch->>'holdAfterMinutes')::int, settings.hold_after_minutes),
    pinned_session_id = case when patch ? 'pinnedSessionId' then patch->>'pinnedSessionId'
      else settings.pinned_session_id end,
    history_days = coalesce((patch->>'historyDays')::int, settings.history_days),
    updated_at = now()
  where settings.location_id = args->>'locationId'
  returning * into written;
  return bridge.settings_json(written);
end
$$;

-- Internal. One default per location that has numbers: the oldest one when nobody has chosen. Callers hold this lock, so
-- that two numbers made at the same time do not both become it.
create or replace function bridge.lock_default(location text) returns void
language sql volatile as $$
  select pg_advisory_xact_lock(hashtextextended('bridge default ' || location, 0))
$$;

create or replace function bridge.ensure_default(location text) returns void
language plpgsql as $$
begin
  update bridge.sessions session set is_default = true
  where session.id = (
      select first.id from bridge.sessions first where first.location_id = location order by first.seq limit 1)
    and not exists (select from bridge.sessions other where other.location_id = location and other.is_default);
end
$$;

select bridge.ensure_default(each.location_id) from (select distinct location_id from bridge.sessions) each;

create or replace function bridge.create_session(args jsonb) returns jsonb
language plpgsql as $$
declare
  created bridge.sessions;
begin
  perform bridge.lock_default(args->>'locationId');
  insert into bridge.sessions (id, location_id, expected_phone, wish)
  values (args->>'sessionId', args->>'locationId', args->>'expectedPhone', args->'wish')
  on conflict do nothing;
  perform bridge.ensure_default(args->>'locationId');
  select * into created from bridge.sessions session where session.id = args->>'sessionId';
  perform bridge.announce('session', created.location_id || ' ' || created.id);
  return bridge.session_json(created);
end
$$;

create or replace function bridge.remove_session(args jsonb) returns jsonb
language plpgsql as $$
declare
  location text;
begin
  select session.location_id into location from bridge.sessions session where session.id = args->>'sessionId';
  if location is null then
    return 'false';
  end if;
  perform bridge.lock_default(location);
  delete from bridge.sessions session where session.id = args->>'sessionId';
  if found then
    perform bridge.ensure_default(location);
    perform bridge.announce('session', location || ' ' || (args->>'sessionId'));
  end if;
  return to_jsonb(found);
end
$$;

-- What people change about a number, on any node: its name, and that it is the location's default. False when the location
-- has no such number.
create or replace function bridge.edit_session(args jsonb) returns jsonb
language plpgsql as $$
declare
  session_id text := args->>'sessionId';
  location text := args->>'locationId';
begin
  perform bridge.lock_default(location);
  perform from bridge.sessions session where session.id = session_id and session.location_id = location;
  if not found then
    return 'false';
  end if;
  if (args->>'isDefault')::boolean then
    update bridge.sessions other set is_default = false, updated_at = now()
    where other.location_id = location and other.id <> session_id and other.is_default;
  end if;
  update bridge.sessions session
  set name = case when args ? 'name' then args->>'name' else session.name end,
    is_default = session.is_default or coalesce((args->>'isDefault')::boolean, false),
    updated_at = now()
  where session.id = session_id;
  perform bridge.announce('session', location || ' ' || session_id);
  return 'true';
end
$$;

-- As in 0003, but a name that is there stays: it may be a person's, and WhatsApp's is only for a number without one.
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

select bridge.finish_migration(7, '0007_settings', 1, array['read_settings', 'write_settings', 'edit_session']);
notify pgrst, 'reload schema';

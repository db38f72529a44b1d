-- 0003 WhatsApp sessions, their credentials and Signal keys, the journal of decrypted stanzas. Why: a pairing must survive every restart. Oldest program: 1.

create table if not exists bridge.sessions (
  id text not null constraint sessions_pk primary key,
  seq bigint not null generated always as identity,
  location_id text not null,
  status text not null default 'initializing' constraint sessions_status check (status in (
    'initializing', 'qr', 'pairing', 'connecting', 'ready', 'disconnected', 'logged_out', 'replaced', 'restricted',
    'banned', 'outdated')),
  phone_number text,
  lid text,
  name text,
  is_default boolean not null default false,
  problem jsonb,
  expected_phone text,
  last_seen_at timestamptz,
  paired_at timestamptz,
  wish jsonb,
  live text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index if not exists sessions_by_location on bridge.sessions (location_id, seq);
create unique index if not exists sessions_one_default_per_location on bridge.sessions (location_id) where is_default;
comment on table bridge.sessions is 'One linked WhatsApp device of a location.';
comment on column bridge.sessions.seq is 'Order of creation: clocks tie.';
comment on column bridge.sessions.problem is '{code, message, action}: the one thing that is wrong, in words for its owner.';
comment on column bridge.sessions.paired_at is
  'When the device was linked last. What an agent wrote before and what reaches us after is held, not sent.';
comment on column bridge.sessions.wish is
  '{id, kind: pair | restart | log_out, codeFor?}: what the owner is asked to do next; gone when it is begun.';
comment on column bridge.sessions.live is 'QR text and pairing code while one is shown. Sealed by the program.';

create table if not exists bridge.pairing_links (
  token_hash text not null constraint pairing_links_pk primary key,
  session_id text not null constraint pairing_links_session references bridge.sessions on delete cascade,
  expires_at timestamptz not null
);
create index if not exists pairing_links_by_session on bridge.pairing_links (session_id);
comment on table bridge.pairing_links is 'Links under which a session can be paired by whoever holds them, for a short time.';

create table if not exists bridge.session_credentials (
  session_id text not null constraint session_credentials_pk primary key
    constraint session_credentials_session references bridge.sessions on delete cascade,
  value text not null,
  updated_at timestamptz not null default now()
);
comment on table bridge.session_credentials is 'The login of a linked device, sealed by the program.';

create table if not exists bridge.session_keys (
  session_id text not null constraint session_keys_session references bridge.sessions on delete cascade,
  kind text not null,
  id text not null,
  value text not null,
  constraint session_keys_pk primary key (session_id, kind, id)
);
comment on table bridge.session_keys is 'Signal keys, sealed by the program. Only the current value is any good: never restore an old one.';

create table if not exists bridge.journal (
  session_id text not null constraint journal_session references bridge.sessions on delete cascade,
  wa_message_id text not null,
  sender text not null,
  seq bigint not null generated always as identity,
  entry text not null,
  written_at timestamptz not null default now(),
  settled_at timestamptz,
  constraint journal_pk primary key (session_id, wa_message_id, sender)
);
create index if not exists journal_unsettled on bridge.journal (session_id, seq) where settled_at is null;
create index if not exists journal_prunable on bridge.journal (settled_at) where settled_at is not null;
comment on table bridge.journal is
  'Stanzas that Signal decrypted (it can do so once), committed with the ratchet step; settled when the message is recorded or needs none.';
comment on column bridge.journal.entry is 'Sealed by the program.';

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
    'expectedPhone', session.expected_phone,
    'live', session.live,
    'wish', session.wish,
    'lastSeenAt', bridge.to_ms(session.last_seen_at),
    'pairedAt', bridge.to_ms(session.paired_at),
    'createdAt', bridge.to_ms(session.created_at))
$$;

create or replace function bridge.create_session(args jsonb) returns jsonb
language plpgsql as $$
declare
  created bridge.sessions;
begin
  insert into bridge.sessions (id, location_id, expected_phone, wish)
  values (args->>'sessionId', args->>'locationId', args->>'expectedPhone', args->'wish')
  on conflict do nothing;
  select * into created from bridge.sessions session where session.id = args->>'sessionId';
  perform bridge.announce('session', created.location_id || ' ' || created.id);
  return bridge.session_json(created);
end
$$;

create or replace function bridge.find_session(args jsonb) returns jsonb
language sql stable as $$
  select bridge.session_json(session) from bridge.sessions session where session.id = args->>'sessionId'
$$;

create or replace function bridge.list_sessions(args jsonb) returns jsonb
language sql stable as $$
  select coalesce(jsonb_agg(bridge.session_json(session) order by session.seq), '[]')
  from bridge.sessions session
  where args->>'locationId' is null or session.location_id = args->>'locationId'
$$;

-- A key that is absent from the patch leaves its column alone; null clears it.
create or replace function bridge.update_session(args jsonb) returns jsonb
language plpgsql as $$
declare
  patch jsonb := args->'patch';
  location text;
begin
  if (patch->>'isDefault')::boolean then
    update bridge.sessions other set is_default = false, updated_at = now()
    from bridge.sessions session
    where session.id = args->>'sessionId' and other.location_id = session.location_id
      and other.id <> session.id and other.is_default;
  end if;
  update bridge.sessions session
  set status = coalesce(patch->>'status', session.status),
    phone_number = case when patch ? 'phoneNumber' then patch->>'phoneNumber' else session.phone_number end,
    lid = case when patch ? 'lid' then patch->>'lid' else session.lid end,
    name = case when patch ? 'name' then patch->>'name' else session.name end,
    last_seen_at = case when patch ? 'lastSeenAt' then bridge.from_ms((patch->>'lastSeenAt')::bigint)
      else session.last_seen_at end,
    paired_at = case when patch ? 'pairedAt' then bridge.from_ms((patch->>'pairedAt')::bigint)
      else session.paired_at end,
    is_default = coalesce((patch->>'isDefault')::boolean, session.is_default),
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

create or replace function bridge.forget_credentials(args jsonb) returns jsonb
language plpgsql as $$
begin
  delete from bridge.session_credentials where session_id = args->>'sessionId';
  delete from bridge.session_keys where session_id = args->>'sessionId';
  delete from bridge.journal where session_id = args->>'sessionId';
  return 'true';
end
$$;

create or replace function bridge.remove_session(args jsonb) returns jsonb
language plpgsql as $$
declare
  location text;
begin
  delete from bridge.sessions session where session.id = args->>'sessionId' returning session.location_id into location;
  if found then
    perform bridge.announce('session', location || ' ' || (args->>'sessionId'));
  end if;
  return to_jsonb(location is not null);
end
$$;

-- Asks the owner, whoever it is, to do something with a session. A newer wish replaces an older one.
create or replace function bridge.wish_session(args jsonb) returns jsonb
language plpgsql as $$
declare
  location text;
begin
  update bridge.sessions session set wish = args->'wish', updated_at = now()
  where session.id = args->>'sessionId' returning session.location_id into location;
  if found then
    perform bridge.announce('session', location || ' ' || (args->>'sessionId'));
  end if;
  return to_jsonb(location is not null);
end
$$;

-- The wish is being fulfilled; one that was replaced meanwhile stays.
create or replace function bridge.take_wish(args jsonb) returns jsonb
language plpgsql as $$
begin
  update bridge.sessions session set wish = null
  where session.id = args->>'sessionId' and session.wish->>'id' = args->>'wishId';
  return to_jsonb(found);
end
$$;

create or replace function bridge.create_pairing_link(args jsonb) returns jsonb
language plpgsql as $$
begin
  insert into bridge.pairing_links (token_hash, session_id, expires_at)
  values (args->>'tokenHash', args->>'sessionId', bridge.after_ms((args->>'ttlMs')::bigint))
  on conflict do nothing;
  return 'true';
end
$$;

create or replace function bridge.find_pairing_link(args jsonb) returns jsonb
language sql stable as $$
  select jsonb_build_object('sessionId', link.session_id, 'expiresAt', bridge.to_ms(link.expires_at))
  from bridge.pairing_links link
  where link.token_hash = args->>'tokenHash' and link.expires_at > clock_timestamp()
$$;

create or replace function bridge.load_credentials(args jsonb) returns jsonb
language sql stable as $$
  select to_jsonb(value) from bridge.session_credentials where session_id = args->>'sessionId'
$$;

create or replace function bridge.read_keys(args jsonb) returns jsonb
language sql stable as $$
  select coalesce(jsonb_agg(jsonb_build_array(key.id, key.value)), '[]')
  from bridge.session_keys key
  where key.session_id = args->>'sessionId' and key.kind = args->>'kind'
    and key.id in (select jsonb_array_elements_text(args->'ids'))
$$;

-- One flush of Baileys is one call and one transaction: a ratchet that moved without its journal row would be a lost message.
create or replace function bridge.write_signal(args jsonb) returns jsonb
language plpgsql as $$
declare
  session text := args->>'sessionId';
begin
  if args ? 'credentials' then
    insert into bridge.session_credentials (session_id, value) values (session, args->>'credentials')
    on conflict (session_id) do update set value = excluded.value, updated_at = now();
  end if;
  if args ? 'keys' then
    insert into bridge.session_keys (session_id, kind, id, value)
    select session, key.kind, key.id, key.value
    from jsonb_to_recordset(args->'keys') as key (kind text, id text, value text)
    where key.value is not null
    order by key.kind, key.id
    on conflict on constraint session_keys_pk do update set value = excluded.value;
    delete from bridge.session_keys stored
    using jsonb_to_recordset(args->'keys') as key (kind text, id text, value text)
    where key.value is null
      and stored.session_id = session and stored.kind = key.kind and stored.id = key.id;
  end if;
  if args ? 'journal' then
    insert into bridge.journal (session_id, wa_message_id, sender, entry)
    select session, line."waMessageId", line.sender, line.entry
    from jsonb_to_recordset(args->'journal') as line ("waMessageId" text, sender text, entry text)
    on conflict on constraint journal_pk do update set entry = excluded.entry;
  end if;
  return 'true';
end
$$;

create or replace function bridge.read_journal(args jsonb) returns jsonb
language sql stable as $$
  select coalesce(jsonb_agg(jsonb_build_object(
    'waMessageId', line.wa_message_id, 'sender', line.sender, 'entry', line.entry) order by line.seq), '[]')
  from bridge.journal line
  where line.session_id = args->>'sessionId' and line.settled_at is null
$$;

create or replace function bridge.find_journal(args jsonb) returns jsonb
language sql stable as $$
  select to_jsonb(line.entry) from bridge.journal line
  where line.session_id = args->>'sessionId' and line.wa_message_id = args->>'waMessageId' and line.sender = args->>'sender'
$$;

create or replace function bridge.settle_journal(args jsonb) returns jsonb
language plpgsql as $$
begin
  update bridge.journal line set settled_at = now()
  where line.session_id = args->>'sessionId' and line.wa_message_id = args->>'waMessageId'
    and line.sender = args->>'sender' and line.settled_at is null;
  return to_jsonb(found);
end
$$;

select bridge.finish_migration(3, '0003_sessions', 1, array[
  'create_session', 'find_session', 'list_sessions', 'update_session', 'forget_credentials', 'remove_session',
  'wish_session', 'take_wish',
  'create_pairing_link', 'find_pairing_link', 'load_credentials', 'read_keys', 'write_signal', 'read_journal',
  'find_journal', 'settle_journal']);
notify pgrst, 'reload schema';

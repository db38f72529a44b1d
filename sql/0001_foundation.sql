-- 0001 The private schema, the record of migrations, and how functions become callable. Why: everything else stands on it. Oldest program: 1.

create schema if not exists bridge;
comment on schema bridge is
  'Tables and functions of ghl-whatsapp-bridge. Private: the API sees only the public.bridge_* functions, and only as service_role.';

create table if not exists bridge.schema_versions (
  version int not null constraint schema_versions_pk primary key,
  name text not null,
  checksum text,
  oldest_program int not null,
  applied_at timestamptz not null default now()
);
comment on table bridge.schema_versions is
  'One row per applied file of sql/, written by the file itself, so that the runner, the Supabase CLI and pasting leave the same mark.';
comment on column bridge.schema_versions.checksum is
  'SHA-256 of the file, written by the runner; null when the file was pasted.';
comment on column bridge.schema_versions.oldest_program is
  'A program works with this schema when the newest file it ships has at least this number.';

-- Times cross the border as milliseconds since the epoch: the three drivers disagree about everything else.
create or replace function bridge.to_ms(at timestamptz) returns bigint
language sql immutable as $$
  select floor(extract(epoch from at) * 1000)::bigint
$$;

create or replace function bridge.from_ms(ms bigint) returns timestamptz
language sql immutable as $$
  select to_timestamp(ms / 1000.0)
$$;

create or replace function bridge.after_ms(ms bigint) returns timestamptz
language sql volatile as $$
  select clock_timestamp() + ms * interval '1 millisecond'
$$;

-- Internal. Tells every node that listens; a hint only, a poll is behind it. Realtime is there on Supabase alone.
create or replace function bridge.announce(topic text, subject text) returns void
language plpgsql as $$
begin
  perform pg_notify('bridge', topic || ' ' || subject);
  if to_regprocedure('realtime.send(jsonb,text,text,boolean)') is not null then
    execute 'select realtime.send($1, $2, $3, true)' using jsonb_build_object('subject', subject), topic, 'bridge';
  end if;
end
$$;

-- Ends a migration: publishes its functions as public.bridge_<name>(args jsonb), grants, walls off, records the version.
-- The grants are spelled out because Supabase gives API roles no rights on new objects any more. The roles exist only
-- there. Row security without policies is the second wall: it stops every role that is neither owner nor service_role.
create or replace function bridge.finish_migration(version int, name text, oldest_program int, functions text[])
returns void language plpgsql as $$
declare
  fn text;
  api_role text;
  table_name text;
begin
  foreach fn in array functions loop
    execute format(
      'create or replace function public.bridge_%1$s(args jsonb) returns jsonb language sql volatile '
      'as $body$ select bridge.%1$s(args) $body$', fn);
    execute format('revoke all on function public.bridge_%s(jsonb) from public', fn);
    foreach api_role in array array['anon', 'authenticated'] loop
      if exists (select from pg_roles r where r.rolname = api_role) then
        execute format('revoke all on function public.bridge_%s(jsonb) from %I', fn, api_role);
      end if;
    end loop;
    if exists (select from pg_roles r where r.rolname = 'service_role') then
      execute format('grant execute on function public.bridge_%s(jsonb) to service_role', fn);
    end if;
  end loop;
  revoke all on all functions in schema bridge from public;
  if exists (select from pg_roles r where r.rolname = 'service_role') then
    grant usage on schema bridge to service_role;
    grant execute on all functions in schema bridge to service_role;
    grant select, insert, update, delete on all tables in schema bridge to service_role;
    grant usage on all sequences in schema bridge to service_role;
  end if;
  for table_name in select t.tablename from pg_tables t where t.schemaname = 'bridge' and not t.rowsecurity loop
    execute format('alter table bridge.%I enable row level security', table_name);
  end loop;
  insert into bridge.schema_versions (version, name, oldest_program)
  values (finish_migration.version, finish_migration.name, finish_migration.oldest_program)
  on conflict do nothing;
end
$$;

create or replace function bridge.schema_version(args jsonb) returns jsonb
language sql stable as $$
  select jsonb_build_object('version', coalesce(max(version), 0), 'oldestProgram', coalesce(max(oldest_program), 0))
  from bridge.schema_versions
$$;

select bridge.finish_migration(1, '0001_foundation', 1, array['schema_version']);
notify pgrst, 'reload schema';

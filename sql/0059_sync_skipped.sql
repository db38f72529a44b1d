-- 0059 What a run leaves out, counted by itself, and what it was asked for. Why: calls that GHL gives without an id or a time were in no count, and a dead node's run could only be gone on with by somebody who asked for the same. Oldest program: 1.

alter table bridge.sync_status add column if not exists skipped int not null default 0;
comment on column bridge.sync_status.skipped is 'Items that cannot be taken, whoever tries: neither done nor failed.';

create or replace function bridge.sync_json(sync bridge.sync_status) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'kind', sync.kind,
    'scope', sync.scope,
    'name', coalesce(
      (select max(account.location_name) from bridge.ghl_accounts account where account.location_id = sync.scope),
      (select max(account.company_name) from bridge.ghl_accounts account
        where account.company_id = sync.scope and account.user_type = 'Company')),
    'state', bridge.sync_state(sync),
    'params', sync.params,
    'cursor', sync.cursor,
    'total', sync.total,
    'done', sync.done,
    'failed', sync.failed,
    'skipped', sync.skipped,
    'message', sync.message,
    'startedAt', bridge.to_ms(sync.started_at),
    'finishedAt', bridge.to_ms(sync.finished_at))
$$;

create or replace function bridge.begin_sync(args jsonb) returns jsonb
language plpgsql as $$
declare
  held bridge.sync_status;
begin
  insert into bridge.sync_status (kind, scope, state, params, holder, until)
  values (args->>'kind', args->>'scope', 'running', coalesce(args->>'params', ''), args->>'holder',
    bridge.after_ms((args->>'holdMs')::bigint))
  on conflict do nothing
  returning * into held;
  if not found then
    update bridge.sync_status sync
    set state = 'running', params = coalesce(args->>'params', ''), holder = args->>'holder',
      until = bridge.after_ms((args->>'holdMs')::bigint),
      cursor = case when bridge.is_resumable(sync, args) then sync.cursor end,
      total = case when bridge.is_resumable(sync, args) then sync.total end,
      done = case when bridge.is_resumable(sync, args) then sync.done else 0 end,
      failed = case when bridge.is_resumable(sync, args) then sync.failed else 0 end,
      skipped = case when bridge.is_resumable(sync, args) then sync.skipped else 0 end,
      started_at = case when bridge.is_resumable(sync, args) then sync.started_at else now() end,
      message = null, finished_at = null, updated_at = now()
    where sync.kind = args->>'kind' and sync.scope = args->>'scope'
      and (sync.state <> 'running' or sync.until <= clock_timestamp() or sync.holder = args->>'holder')
    returning * into held;
  end if;
  return case when held.kind is not null then bridge.sync_json(held) end;
end
$$;

-- Absent members stay. BR001 when another holds the run by now.
create or replace function bridge.advance_sync(args jsonb) returns jsonb
language plpgsql as $$
begin
  update bridge.sync_status sync
  set cursor = case when args ? 'cursor' then args->>'cursor' else sync.cursor end,
    total = coalesce((args->>'total')::int, sync.total),
    done = coalesce((args->>'done')::int, sync.done),
    failed = coalesce((args->>'failed')::int, sync.failed),
    skipped = coalesce((args->>'skipped')::int, sync.skipped),
    message = coalesce(args->>'message', sync.message),
    until = bridge.after_ms((args->>'holdMs')::bigint), updated_at = now()
  where sync.kind = args->>'kind' and sync.scope = args->>'scope' and sync.holder = args->>'holder'
    and sync.state = 'running';
  if not found then
    raise exception 'another runs this work now' using errcode = 'BR001';
  end if;
  return 'true';
end
$$;

select bridge.finish_migration(59, '0059_sync_skipped', 1, array['begin_sync', 'advance_sync']);
notify pgrst, 'reload schema';

-- 0050 What last went well and ill with each piece of the set-up. Why: the checklist said "Works" of settings that were merely there. Oldest program: 1.

create table if not exists bridge.evidence (
  piece text not null constraint evidence_pk primary key,
  setting text not null,
  good_at timestamptz,
  bad_at timestamptz,
  reason text
);
comment on table bridge.evidence is 'One row for each piece of the set-up that only GHL can prove right: by its last success and its last refusal.';
comment on column bridge.evidence.setting is 'Keyed hash of the settings that were used: what was seen with others proves nothing of these.';
comment on column bridge.evidence.reason is 'Why it was refused at bad_at, as a stable word.';

create or replace function bridge.note_evidence(args jsonb) returns jsonb
language plpgsql as $$
begin
  insert into bridge.evidence as known (piece, setting, good_at, bad_at, reason)
  values (args->>'piece', args->>'setting',
    case when args->>'reason' is null then clock_timestamp() end,
    case when args->>'reason' is not null then clock_timestamp() end, args->>'reason')
  on conflict (piece) do update set
    setting = excluded.setting,
    good_at = coalesce(excluded.good_at, case when known.setting = excluded.setting then known.good_at end),
    bad_at = coalesce(excluded.bad_at, case when known.setting = excluded.setting then known.bad_at end),
    reason = coalesce(excluded.reason, case when known.setting = excluded.setting then known.reason end);
  return 'true';
end
$$;

create or replace function bridge.list_evidence(args jsonb) returns jsonb
language sql stable as $$
  select coalesce(jsonb_agg(jsonb_build_object(
    'piece', known.piece,
    'setting', known.setting,
    'goodAt', bridge.to_ms(known.good_at),
    'badAt', bridge.to_ms(known.bad_at),
    'reason', known.reason) order by known.piece), '[]')
  from bridge.evidence known
$$;

select bridge.finish_migration(50, '0050_evidence', 1, array['note_evidence', 'list_evidence']);
notify pgrst, 'reload schema';

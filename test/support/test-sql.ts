/** A function that only test databases have: any SQL, through every driver, so that tests can move rows in time. */
export const CREATE_TEST_SQL = `
  create or replace function bridge.test_sql(args jsonb) returns jsonb language plpgsql as $body$
  declare
    rows jsonb;
  begin
    if args ? 'run' then
      execute args->>'run';
      return 'null';
    end if;
    execute 'select coalesce(jsonb_agg(to_jsonb(r)), ''[]'') from (' || (args->>'rows') || ') r' into rows;
    return rows;
  end
  $body$;
  create or replace function public.bridge_test_sql(args jsonb) returns jsonb language sql as
    $body$ select bridge.test_sql(args) $body$;
`

-- 0030 Tokens that are over, refreshes that nobody finished, and what is held. Why: a token that GHL refuses was lent on by its date, and a pair that died with its node was asked for again hours too late. Oldest program: 1.

-- The access token that was to end then is refused by GHL, and so is every way to another.
create or replace function bridge.end_tokens(args jsonb) returns jsonb
language plpgsql as $$
begin
  update bridge.ghl_accounts account
  set token_expires_at = now(), updated_at = now()
  where account.id = args->>'installationId' and account.status = 'needs_reconnect'
    and bridge.to_ms(account.token_expires_at) = (args->>'expiresAt')::bigint
    and account.token_expires_at > now();
  return to_jsonb(found);
end
$$;

-- Refreshes that were begun and neither finished nor given up by the end of their hold: whoever began them is gone, perhaps
-- with a pair that GHL gives once more for a short while. The latest first.
create or replace function bridge.unfinished_refreshes(args jsonb) returns jsonb
language sql stable as $$
  select coalesce(jsonb_agg(bridge.installation_json(account) order by account.refresh_until desc), '[]')
  from (
    select * from bridge.ghl_accounts unfinished
    where unfinished.refresh_until <= clock_timestamp() and unfinished.access_token is not null
      and unfinished.status in ('active', 'needs_reconnect')
    order by unfinished.refresh_until desc limit (args->>'limit')::int
  ) chosen
  join bridge.ghl_accounts account on account.id = chosen.id
$$;

-- How many installations have an access token that still works by its date, and how many can renew theirs by themselves.
create or replace function bridge.count_tokens(args jsonb) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'access', count(account.access_token) filter (where account.token_expires_at > clock_timestamp()),
    'refresh', count(account.refresh_token))
  from bridge.ghl_accounts account where account.status = 'active'
$$;

create index if not exists ghl_accounts_refreshing on bridge.ghl_accounts (refresh_until) where refresh_until is not null;

select bridge.finish_migration(30, '0030_token_care', 1, array['end_tokens', 'unfinished_refreshes', 'count_tokens']);
notify pgrst, 'reload schema';

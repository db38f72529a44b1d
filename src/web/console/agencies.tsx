/** The agencies' own installations, from which tokens of their locations are made: without one, none of them heals. */
import { type Get, got } from '../api/client.ts'
import { useWords } from '../words/spoken.tsx'
import { TokenHealth } from './location-state.tsx'
import { Pages, useCursors } from './parts.tsx'
import { useConsole, useLoaded } from './use-console.ts'

/** More of them are a page further. */
const SHOWN = 50

export function useAgencies(filter: { health?: 'needs_reconnect'; cursor?: string | undefined }) {
  const { api } = useConsole()
  const { health, cursor } = filter
  const query = {
    userType: 'Company' as const,
    limit: SHOWN,
    ...(health !== undefined && { health }),
    ...(cursor !== undefined && { cursor }),
  }
  return useLoaded(
    () => got(api.GET('/api/ghl/tokens', { params: { query } })),
    [api, health, cursor],
    ['all'],
  )
}

export function Agencies() {
  const { count } = useWords()
  const cursors = useCursors()
  const { cursor } = cursors
  const { data } = useAgencies({ cursor })
  if (data === undefined || data.total === 0) return null
  return (
    <div>
      <AgencyList agencies={data.installations} />
      {data.total > SHOWN && (
        <Pages cursors={cursors} next={data.nextCursor} total={count('agencies.count', data.total)} />
      )}
    </div>
  )
}

function AgencyList({ agencies }: { agencies: Get<'/api/ghl/tokens'>['installations'] }) {
  const { say } = useWords()
  return (
    <ul class="agencies" aria-label={say('agencies.title')}>
      {agencies.map(({ installationId, companyId, name, health }) => (
        <li key={installationId} data-agency={companyId} data-health={health}>
          <strong>{name ?? companyId}</strong> <TokenHealth health={health} />
          {(health === 'needs_reconnect' || health === 'uninstalled') && (
            <a
              class="as-button plain"
              href="/oauth/install"
              target="_blank"
              rel="noreferrer"
              aria-label={say('agencies.reconnectOne', { name: name ?? companyId ?? '' })}
            >
              {say('agencies.reconnect')}
            </a>
          )}
        </li>
      ))}
    </ul>
  )
}

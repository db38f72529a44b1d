/** The agencies' own installations, from which tokens of their locations are made: without one, none of them heals. */
import { got } from '../api/client.ts'
import { useWords } from '../words/spoken.tsx'
import { TokenHealth } from './location-state.tsx'
import { useConsole, useLoaded } from './use-console.ts'

export function useAgencies() {
  const { api } = useConsole()
  return useLoaded(
    () => got(api.GET('/api/ghl/tokens', { params: { query: { userType: 'Company', limit: 100 } } })),
    [api],
    ['all'],
  )
}

export function Agencies() {
  const { say } = useWords()
  const agencies = useAgencies().data?.installations ?? []
  if (agencies.length === 0) return null
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

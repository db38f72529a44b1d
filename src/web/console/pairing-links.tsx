/** One link per number that is to be paired, for its owner's own phone; whoever runs this sends them on. */
import { type Api, got } from '../api/client.ts'
import { Button } from '../parts/button.tsx'
import { Copy } from '../parts/copy.tsx'
import { useOneByOne } from '../parts/one-by-one.ts'
import { failureWords } from '../parts/problem-words.ts'
import { useWords } from '../words/spoken.tsx'
import type { Location } from './shapes.ts'
import { useConsole } from './use-console.ts'

interface Wanted {
  readonly location: Location
  /** Undefined: the location has no number yet, and gets its first. */
  readonly sessionId: string | undefined
}

/** No scan would help these; one that waits for a scan already gets its link, and no second number is made. */
const CONNECTS_ITSELF = ['ready', 'connecting', 'disconnected']

function wantedBy(location: Location): Wanted[] {
  if (location.status === 'uninstalled') return []
  if (location.sessions.length === 0) return [{ location, sessionId: undefined }]
  return location.sessions
    .filter(({ status }) => !CONNECTS_ITSELF.includes(status))
    .map(({ id }) => ({ location, sessionId: id }))
}

async function makeLink(api: Api, { location: { locationId }, sessionId }: Wanted): Promise<string> {
  const made =
    sessionId === undefined
      ? await got(
          api.POST('/ghl/location/{locationId}/session', { params: { path: { locationId } }, body: {} }),
        )
      : undefined
  const path = { locationId, id: sessionId ?? made?.session_id ?? '' }
  const { url } = await got(
    api.POST('/ghl/location/{locationId}/session/{id}/pairing-link', { params: { path } }),
  )
  return url
}

export function PairingLinks({ locations }: { locations: readonly Location[] }) {
  const { say, count, find } = useWords()
  const { api } = useConsole()
  const wanted = locations.flatMap(wantedBy)
  const { outcomes, run } = useOneByOne((each: Wanted) => makeLink(api, each))
  const nameOf = ({ location }: Wanted) => location.name ?? location.locationId
  const made = outcomes.flatMap(({ item, result }) => (result === undefined ? [] : [[nameOf(item), result]]))
  const all = made.map((line) => line.join('\t')).join('\n')
  if (wanted.length === 0) return <p>{say('links.none')}</p>
  if (outcomes.length === 0) {
    return (
      <>
        <p>{count('links.would', wanted.length)}</p>
        <Button act={() => run(wanted)}>{say('links.make')}</Button>
      </>
    )
  }
  return (
    <>
      <progress aria-label={say('bulk.links')} max={wanted.length} value={outcomes.length} />
      <p role="status">{count('links.made', made.length)}</p>
      <dl class="links">
        {outcomes.map(({ item, result, failure }) => (
          <div key={item.sessionId ?? item.location.locationId}>
            <dt>{nameOf(item)}</dt>
            <dd>
              {result === undefined ? (
                <span class="failure">{failureWords(failure, find)}</span>
              ) : (
                <input
                  readOnly
                  aria-label={nameOf(item)}
                  value={result}
                  onFocus={({ currentTarget }) => currentTarget.select()}
                />
              )}
            </dd>
          </div>
        ))}
      </dl>
      <div class="with-button">
        <textarea readOnly rows={2} aria-label={say('bulk.links')} value={all} />
        <Copy text={all} />
      </div>
    </>
  )
}

/** One link per number that is to be paired, for its owner's own phone; whoever runs this sends them on. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { type Api, got, type Session } from '../api/client.ts'
import { Button } from '../parts/button.tsx'
import { Copy } from '../parts/copy.tsx'
import { useOneByOne } from '../parts/one-by-one.ts'
import { cureOf, failureWords, isAhead } from '../parts/problem-words.ts'
import { useWords } from '../words/spoken.tsx'
import type { Location } from './shapes.ts'
import { useNamedClock } from './times.tsx'
import { useConsole } from './use-console.ts'

interface Wanted {
  readonly location: Location
  /** Undefined: the location has no number yet, and gets its first. */
  readonly sessionId: string | undefined
}

interface Link {
  readonly url: string
  /** By the reader's clock, right or wrong. */
  readonly expiresAt: string
}

/** One that waits for a scan already gets its link, too; no second number is made. */
const isCuredByScan = ({ status, problem }: Session): boolean =>
  status === 'qr' || status === 'pairing' || (problem !== null && cureOf(problem) === 'pair')

function wantedBy(location: Location): Wanted[] {
  if (location.status === 'uninstalled') return []
  if (location.sessions.length === 0) return [{ location, sessionId: undefined }]
  return location.sessions.filter(isCuredByScan).map(({ id }) => ({ location, sessionId: id }))
}

async function makeNumber(api: Api, locationId: string): Promise<string> {
  const params = { path: { locationId } }
  return (await got(api.POST('/ghl/location/{locationId}/session', { params, body: {} }))).session_id
}

/** Draws anew when the next of these moments has come. */
function useMoments(isos: readonly string[]): void {
  const [, draw] = useState(0)
  const next = Math.min(...isos.filter(isAhead).map((iso) => Date.parse(iso)))
  useEffect(() => {
    if (!Number.isFinite(next)) return undefined
    const timer = setTimeout(() => draw((times) => times + 1), next - Date.now() + 1)
    return () => clearTimeout(timer)
  }, [next])
}

/** @param unsent told how many good links nobody has copied yet. */
export function PairingLinks({
  locations,
  unsent,
}: {
  locations: readonly Location[]
  unsent(count: number): void
}) {
  const { say, count, find } = useWords()
  const { api } = useConsole()
  const clock = useNamedClock()
  const [wanted] = useState(() => locations.flatMap(wantedBy))
  // A location's first number is made once, however often its link is.
  const made = useRef(new Map<string, string>())
  const { outcomes, run, again } = useOneByOne(async ({ location, sessionId }: Wanted): Promise<Link> => {
    const { locationId } = location
    const id = sessionId ?? made.current.get(locationId) ?? (await makeNumber(api, locationId))
    if (sessionId === undefined) made.current.set(locationId, id)
    const params = { path: { locationId, id } }
    const { url, expiresInMs } = await got(
      api.POST('/ghl/location/{locationId}/session/{id}/pairing-link', { params }),
    )
    return { url, expiresAt: new Date(Date.now() + expiresInMs).toISOString() }
  })
  const [copied, setCopied] = useState<ReadonlySet<string>>(new Set())
  const links = outcomes.flatMap(({ item, result }) => (result === undefined ? [] : [{ item, ...result }]))
  useMoments(links.map(({ expiresAt }) => expiresAt))
  const good = links.filter(({ expiresAt }) => isAhead(expiresAt))
  const ended = links.filter(({ expiresAt }) => !isAhead(expiresAt)).map(({ item }) => item)
  const waiting = good.filter(({ url }) => !copied.has(url)).length
  useEffect(() => unsent(waiting), [waiting])
  const copy = (urls: readonly string[]) => setCopied((before) => new Set([...before, ...urls]))
  const nameOf = ({ location }: Wanted) => location.name ?? location.locationId
  const all = good.map(({ item, url }) => `${nameOf(item)}\t${url}`).join('\n')
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
      <p role="status">{count('links.made', good.length)}</p>
      {ended.length > 0 && <Button act={() => again(ended)}>{count('links.renew', ended.length)}</Button>}
      <dl class="links">
        {outcomes.map(({ item, result, failure }) => (
          <div key={item.sessionId ?? item.location.locationId}>
            <dt>{nameOf(item)}</dt>
            <dd>
              {result === undefined ? (
                <span class="failure">{failureWords(failure, find)}</span>
              ) : isAhead(result.expiresAt) ? (
                <div class="with-button" onCopy={() => copy([result.url])}>
                  <input
                    readOnly
                    aria-label={nameOf(item)}
                    value={result.url}
                    onFocus={({ currentTarget }) => currentTarget.select()}
                  />
                  <Copy key={result.url} text={result.url} done={() => copy([result.url])} />
                  <span class="muted small">{say('links.until', { time: clock(result.expiresAt) })}</span>
                </div>
              ) : (
                <span class="failure">{say('links.ended')}</span>
              )}
            </dd>
          </div>
        ))}
      </dl>
      <div class="with-button" onCopy={() => copy(good.map(({ url }) => url))}>
        <textarea readOnly rows={2} aria-label={say('bulk.links')} value={all} />
        <Copy key={all} text={all} done={() => copy(good.map(({ url }) => url))} />
      </div>
    </>
  )
}

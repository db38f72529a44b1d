/** Who did what, to which location, when, and what came of it. */
import { useEffect, useState } from 'preact/hooks'
import { got } from '../api/client.ts'
import { Button } from '../parts/button.tsx'
import { useWords } from '../words/spoken.tsx'
import { Shown, type Tone } from './parts.tsx'
import { PlaceFilter } from './place-choice.tsx'
import { linkTo } from './routes.ts'
import type { AuditEntry } from './shapes.ts'
import { Time, ZoneNote } from './times.tsx'
import { useConsole, useLoaded } from './use-console.ts'

interface Known {
  readonly entries: readonly AuditEntry[]
  /** Where the older ones begin; null when these are all. */
  readonly next: string | null
}

/** The newest are read again and again; what was read before them stays, as long as the two still touch. */
function joined(before: Known | undefined, newest: Known): Known {
  const [last] = newest.entries.slice(-1)
  const seam = before?.entries.findIndex(({ id }) => id === last?.id) ?? -1
  if (before === undefined || seam < 0) return newest
  return { entries: [...newest.entries, ...before.entries.slice(seam + 1)], next: before.next }
}

export function Audit({ locationId }: { locationId?: string }) {
  const { say } = useWords()
  const { api } = useConsole()
  const [known, setKnown] = useState<Known>()
  const read = async (cursor?: string): Promise<Known> => {
    const query = { ...(locationId !== undefined && { locationId }), ...(cursor !== undefined && { cursor }) }
    const { entries, nextCursor } = await got(api.GET('/api/audit', { params: { query } }))
    return { entries, next: nextCursor }
  }
  const newest = useLoaded(() => read(), [api, locationId], ['all'])
  useEffect(() => {
    const { data } = newest
    if (data !== undefined) setKnown((before) => joined(before, data))
  }, [newest.data])
  const more = async (): Promise<void> => {
    if (known?.next == null) return
    const older = await read(known.next)
    setKnown({ entries: [...known.entries, ...older.entries], next: older.next })
  }
  return (
    <section aria-labelledby="audit" class="stack">
      <div class="section-head">
        <h2 id="audit">{say('console.place.audit')}</h2>
        <PlaceFilter place="audit" locationId={locationId} />
      </div>
      <ZoneNote />
      <Shown
        of={{ ...newest, data: known }}
        isEmpty={({ entries }: Known) => entries.length === 0}
        empty={<p>{say(locationId === undefined ? 'audit.none' : 'audit.noneHere')}</p>}
      >
        {({ entries, next }) => (
          <>
            <ul class="rows audit">
              {entries.map((entry) => (
                <li key={entry.id} data-action={entry.action}>
                  <Line entry={entry} />
                </li>
              ))}
            </ul>
            {next !== null && (
              <Button kind="plain" act={more}>
                {say('more')}
              </Button>
            )}
          </>
        )}
      </Shown>
    </section>
  )
}

type Result = 'done' | 'aborted' | 'refused' | 'unknown' | 'conflict' | 'often' | 'wrong' | 'failed'

function resultOf(outcome: string): Result {
  if (outcome === 'aborted') return 'aborted'
  const status = Number(outcome)
  if (status < 400) return 'done'
  if (status === 401 || status === 403) return 'refused'
  if (status === 404 || status === 410) return 'unknown'
  if (status === 409) return 'conflict'
  if (status === 429) return 'often'
  return status < 500 ? 'wrong' : 'failed'
}

const toneOf = (result: Result): Tone => (result === 'done' ? 'good' : result === 'aborted' ? 'busy' : 'bad')

function Line({ entry }: { entry: AuditEntry }) {
  const { say } = useWords()
  const result = resultOf(entry.outcome)
  const { text, isTargetNamed } = useDeed(entry)
  const about = isTargetNamed ? null : (entry.targetName ?? (isOurId(entry.target) ? null : entry.target))
  return (
    <>
      <div class="row-head">
        <span title={entry.target ?? undefined}>
          <strong>{useCaller(entry)}</strong>: {text}
          {entry.locationId !== null && (
            <>
              {' '}
              {say('audit.at')}{' '}
              <a href={linkTo('locations', entry.locationId)}>{entry.locationName ?? entry.locationId}</a>
            </>
          )}
        </span>
        <span class={`state ${toneOf(result)}`}>
          {say(`result.${result}`)}
          {result !== 'done' && result !== 'aborted' && <span class="muted"> ({entry.outcome})</span>}
        </span>
        <Time at={entry.at} />
      </div>
      {about !== null && about !== entry.locationId && about !== entry.locationName && (
        <p class="muted small">{about}</p>
      )}
    </>
  )
}

/** They tell people nothing; the pointer shows them. */
const isOurId = (target: string | null): boolean => /^[0-9a-f-]{36}$/.test(target ?? '')

function useCaller({ caller: { kind, id, name } }: AuditEntry): string {
  const { say } = useWords()
  if (kind === 'service') return say('caller.service', { name: name ?? id ?? '' })
  return kind === 'page' ? say('caller.page', { id: id ?? '' }) : say('caller.operator')
}

/** The proxy takes any method, and what was called stands in the target. */
const PROXY = '/proxy/*'

function useDeed({ action, target, targetName }: AuditEntry): { text: string; isTargetNamed: boolean } {
  const { say, find } = useWords()
  const [, many, state] = /^(\d+) (failed|held)$/.exec(target ?? '') ?? []
  const named =
    state === 'failed' || state === 'held'
      ? `${many} (${say(`letters.${state}`)})`
      : (targetName ?? (action.includes('/session') ? say('number.new') : (target ?? '')))
  const key = action.endsWith(PROXY) ? 'proxy' : action
  // A route that is newer than this page is said as it is.
  const template = find(`deed.${key}`) ?? action
  return {
    text: find(`deed.${key}`, { target: named }) ?? action,
    isTargetNamed: template.includes('{target}'),
  }
}

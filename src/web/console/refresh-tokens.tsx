/** New tokens for many installations: first what would be done, then it is done. */
import { useState } from 'preact/hooks'
import { got } from '../api/client.ts'
import { Button } from '../parts/button.tsx'
import { useOneByOne } from '../parts/one-by-one.ts'
import { failureWords, problemWords } from '../parts/problem-words.ts'
import { useWords } from '../words/spoken.tsx'
import { useNames } from './names.ts'
import { Shown } from './parts.tsx'
import type { Location, RefreshReport } from './shapes.ts'
import { SyncProgress } from './syncs.tsx'
import { useConsole, useLoaded } from './use-console.ts'

export function RefreshAll() {
  const { say, count, find } = useWords()
  const { api } = useConsole()
  const [force, setForce] = useState(false)
  const [isBegun, setBegun] = useState(false)
  const [report, setReport] = useState<RefreshReport>()
  const [failure, setFailure] = useState<unknown>()
  const post = async (dryRun: boolean): Promise<RefreshReport | undefined> => {
    const answer = await got(api.POST('/api/ghl/tokens/refresh', { body: { force, dryRun } }))
    return 'running' in answer ? undefined : answer
  }
  const plan = useLoaded(() => post(true), [api, force])
  if (report !== undefined) return <Report report={report} />
  // The answer may take as long as the work; how far it is stands in the store meanwhile.
  if (isBegun) return <SyncProgress kind="token_refresh" none={say('pair.title.wait')} />
  const begin = async (): Promise<void> => {
    setBegun(true)
    setFailure(undefined)
    try {
      setReport(await post(false))
    } catch (thrown) {
      setBegun(false)
      setFailure(thrown)
    }
  }
  return (
    <>
      <p class="muted">{say('refresh.why')}</p>
      <label class="switch">
        <input
          type="checkbox"
          checked={force}
          onChange={({ currentTarget }) => setForce(currentTarget.checked)}
        />
        <span>{say('refresh.force')}</span>
      </label>
      <Shown of={plan} isEmpty={(found) => found?.due === 0} empty={<p>{say('refresh.none')}</p>}>
        {(found) => (
          <>
            <p role="status">{count('refresh.would', found?.due ?? 0)}</p>
            {failure !== undefined && <p class="failure">{failureWords(failure, find)}</p>}
            <Button act={begin}>{say('refresh.do')}</Button>
          </>
        )}
      </Shown>
    </>
  )
}

/** Named one by one; the wall shows them all. */
const MOST_NAMED = 20

function Report({ report: { refreshed, failed, results } }: { report: RefreshReport }) {
  const { count, find } = useWords()
  const { api } = useConsole()
  const named = results.filter(({ outcome }) => outcome === 'failed').slice(0, MOST_NAMED)
  const names = useNames(
    api,
    named.flatMap(({ locationId }) => locationId ?? []),
  )
  return (
    <div role="status">
      <p>
        <strong>{count('refresh.done', refreshed)}</strong>
      </p>
      {failed > 0 && (
        <>
          <p class="problem">{count('refresh.failed', failed)}</p>
          <ul class="plain-list">
            {named.map(({ installationId, locationId, code, message }) => (
              <li key={installationId}>
                {names.get(locationId ?? '') ?? locationId ?? installationId}:{' '}
                {problemWords({ code: code ?? '', message: message ?? '', action: null }, find).message}
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  )
}

export function RefreshChosen({ locations }: { locations: readonly Location[] }) {
  const { say, count, find } = useWords()
  const { api } = useConsole()
  const able = locations.filter(({ status }) => status !== 'uninstalled')
  const { outcomes, run } = useOneByOne(({ installationId }: Location) =>
    got(api.POST('/api/ghl/tokens/{installationId}/refresh', { params: { path: { installationId } } })),
  )
  const failed = outcomes.filter(({ failure }) => failure !== undefined)
  const isDone = outcomes.length === able.length && able.length > 0
  return (
    <>
      <p>{count('refresh.would', able.length)}</p>
      <progress aria-label={say('bulk.refresh')} max={Math.max(1, able.length)} value={outcomes.length} />
      {isDone && <p role="status">{count('refresh.done', outcomes.length - failed.length)}</p>}
      <ul class="plain-list">
        {failed.map(({ item, failure }) => (
          <li key={item.installationId} class="failure">
            {item.name ?? item.locationId}: {failureWords(failure, find)}
          </li>
        ))}
      </ul>
      {!isDone && (
        <Button isDisabled={able.length === 0} act={() => run(able)}>
          {say('refresh.do')}
        </Button>
      )}
    </>
  )
}

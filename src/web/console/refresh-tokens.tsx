/** New tokens for many installations: first what would be done, then it is done. */
import { useState } from 'preact/hooks'
import { got } from '../api/client.ts'
import { Button } from '../parts/button.tsx'
import { failureWords } from '../parts/problem-words.ts'
import { useWords } from '../words/spoken.tsx'
import { useOneByOne } from './one-by-one.ts'
import { Shown } from './parts.tsx'
import type { Location, RefreshReport } from './shapes.ts'
import { useConsole, useLoaded } from './use-console.ts'

export function RefreshAll() {
  const { say, count } = useWords()
  const { api } = useConsole()
  const [force, setForce] = useState(false)
  const [report, setReport] = useState<RefreshReport>()
  const post = (dryRun: boolean) => got(api.POST('/api/ghl/tokens/refresh', { body: { force, dryRun } }))
  const plan = useLoaded(() => post(true), [api, force])
  if (report !== undefined) return <Report report={report} />
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
      <Shown of={plan} isEmpty={({ results }) => results.length === 0} empty={<p>{say('refresh.none')}</p>}>
        {({ results }) => (
          <>
            <p role="status">{count('refresh.would', results.length)}</p>
            <Button act={async () => setReport(await post(false))}>{say('refresh.do')}</Button>
          </>
        )}
      </Shown>
    </>
  )
}

function Report({ report: { refreshed, results } }: { report: RefreshReport }) {
  const { count } = useWords()
  const failed = results.filter(({ outcome }) => outcome === 'failed')
  return (
    <div role="status">
      <p>
        <strong>{count('refresh.done', refreshed)}</strong>
      </p>
      {failed.length > 0 && (
        <>
          <p class="problem">{count('refresh.failed', failed.length)}</p>
          <ul class="plain-list">
            {failed.map(({ installationId, locationId, message }) => (
              <li key={installationId}>
                {locationId ?? installationId}: {message}
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

/** Long work and how far it has come. */
import { useEffect } from 'preact/hooks'
import { got } from '../api/client.ts'
import { problemWords } from '../parts/problem-words.ts'
import { clockOf } from '../parts/times.ts'
import { useWords } from '../words/spoken.tsx'
import { Shown, type Tone } from './parts.tsx'
import type { SyncRun } from './shapes.ts'
import { useConsole, useLoaded } from './use-console.ts'

const WATCH_MS = 700
const TONES: Readonly<Record<SyncRun['state'], Tone>> = {
  running: 'busy',
  interrupted: 'bad',
  failed: 'bad',
  done: 'good',
}

/** Looked at closely while something runs; with a kind all the time, as its work was just asked for and begins in a moment. */
function useSyncs(kind?: string) {
  const { api } = useConsole()
  const query = kind === undefined ? {} : { kind }
  const runs = useLoaded(() => got(api.GET('/api/sync/status', { params: { query } })), [api, kind], ['all'])
  const isRunning = kind !== undefined || runs.data?.syncs.some(({ state }) => state === 'running') === true
  useEffect(() => {
    if (!isRunning) return undefined
    const timer = setInterval(() => void runs.reload(), WATCH_MS)
    return () => clearInterval(timer)
  }, [isRunning, runs.reload])
  return runs
}

export function Syncs() {
  const { say } = useWords()
  return (
    <section aria-labelledby="syncs">
      <div class="section-head">
        <h2 id="syncs">{say('console.place.syncs')}</h2>
      </div>
      <Shown of={useSyncs()} isEmpty={({ syncs }) => syncs.length === 0} empty={<p>{say('syncs.none')}</p>}>
        {({ syncs }) => <Runs runs={syncs} />}
      </Shown>
    </section>
  )
}

/** Of one kind of work, as it goes on. */
export function SyncProgress({ kind, none }: { kind: SyncRun['kind']; none: string }) {
  return (
    <Shown of={useSyncs(kind)} isEmpty={({ syncs }) => syncs.length === 0} empty={<p>{none}</p>}>
      {({ syncs }) => <Runs runs={syncs} />}
    </Shown>
  )
}

function Runs({ runs }: { runs: readonly SyncRun[] }) {
  return (
    <ul class="rows">
      {runs.map((run) => (
        <li key={`${run.kind} ${run.scope}`} data-sync={run.state}>
          <Run run={run} />
        </li>
      ))}
    </ul>
  )
}

/** It begins with a code where it is an error: `GHL_UNAVAILABLE: words`. */
function messageWords(text: string, find: ReturnType<typeof useWords>['find']): string {
  const [code = '', ...rest] = text.split(': ')
  const message = rest.length === 0 ? text : rest.join(': ')
  return problemWords({ code, message, action: null }, find).message
}

function Run({ run }: { run: SyncRun }) {
  const { say, find, language } = useWords()
  const all = run.total ?? run.done + run.failed
  const label = say('syncs.progress', { done: run.done, total: all })
  return (
    <>
      <div class="row-head">
        <strong>{find(`sync.${run.kind}`) ?? run.kind}</strong>
        <span class="muted small">{run.scope}</span>
        <span class={`state ${TONES[run.state]}`}>{say(`sync.is.${run.state}`)}</span>
      </div>
      <progress aria-label={label} max={Math.max(1, all)} value={run.done + run.failed} />
      <p class="muted small">
        {label}
        {run.failed > 0 && <span class="failure"> · {say('syncs.failed', { count: run.failed })}</span>} ·{' '}
        {clockOf(run.finishedAt ?? run.startedAt, language)}
      </p>
      {run.message !== null && run.state !== 'done' && (
        <p class="problem">{messageWords(run.message, find)}</p>
      )}
    </>
  )
}

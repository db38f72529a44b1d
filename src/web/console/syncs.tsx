/** Long work and how far it has come: by kind as long as nobody asks for more, since one kind may run for thousands of locations. */
import { useEffect, useState } from 'preact/hooks'
import { type Api, type Get, got } from '../api/client.ts'
import { problemWords } from '../parts/problem-words.ts'
import { useWords } from '../words/spoken.tsx'
import { Choice, Pages, Shown, type Tone, useCursors } from './parts.tsx'
import { PlaceFilter } from './place-choice.tsx'
import { linkTo } from './routes.ts'
import type { SyncKind, SyncRun } from './shapes.ts'
import { Time, ZoneNote } from './times.tsx'
import { useConsole, useLoaded } from './use-console.ts'

const WATCH_MS = 700
const SHOWN = 50
/** So few of a kind are shown one by one. */
const FEW = 3
const STATES = ['failed', 'interrupted', 'running', 'done'] as const
type State = (typeof STATES)[number]
type Found = Get<'/api/sync/status'>
type Filter = Partial<Record<'kind' | 'scope' | 'cursor', string>> & { readonly state?: State }

const TONES: Readonly<Record<State, Tone>> = {
  running: 'busy',
  interrupted: 'bad',
  failed: 'bad',
  done: 'good',
}

const readRuns = (api: Api, filter: Filter, limit = SHOWN): Promise<Found> =>
  got(api.GET('/api/sync/status', { params: { query: { ...filter, limit } } }))

const readKinds = async (api: Api): Promise<readonly SyncKind[]> =>
  (await got(api.GET('/api/sync/kinds'))).kinds

const allOf = (kind: SyncKind): number => STATES.reduce((sum, state) => sum + kind[state], 0)
const wrongOf = (kind: SyncKind): number => kind.failed + kind.interrupted

/** Looked at closely while something runs. */
function useWatch(isRunning: boolean, reload: () => Promise<void>): void {
  useEffect(() => {
    if (!isRunning) return undefined
    const timer = setInterval(() => void reload(), WATCH_MS)
    return () => clearInterval(timer)
  }, [isRunning, reload])
}

export function Syncs({ locationId }: { locationId?: string }) {
  const { say, find } = useWords()
  const { api } = useConsole()
  const [kind, setKind] = useState('any')
  const [state, setState] = useState<State | 'any'>('any')
  const kinds = useLoaded(() => readKinds(api), [api], ['all'])
  useWatch(kinds.data?.some(({ running }) => running > 0) === true, kinds.reload)
  const known = kinds.data ?? []
  const chosen = known.filter((each) => kind === 'any' || each.kind === kind)
  const isOverview = locationId === undefined && kind === 'any' && state === 'any'
  const choose = (nextKind: string, nextState: State | 'any') => {
    setKind(nextKind)
    setState(nextState)
  }
  return (
    <section aria-labelledby="syncs" class="stack">
      <div class="section-head">
        <h2 id="syncs">{say('console.place.syncs')}</h2>
        <PlaceFilter place="syncs" locationId={locationId} />
      </div>
      {locationId === undefined && (
        <div class="filters">
          <Choice
            label={say('syncs.kind')}
            value={kind}
            choose={(next) => choose(next, state)}
            options={[
              ['any', say('wall.any')],
              ...known.map((each) => [each.kind, kindName(each.kind, find), allOf(each)] as const),
            ]}
          />
          <Choice
            label={say('console.state')}
            value={state}
            choose={(next) => choose(kind, next)}
            options={[
              ['any', say('syncs.anyState')],
              ...STATES.map(
                (each) =>
                  [each, say(`sync.is.${each}`), chosen.reduce((sum, of) => sum + of[each], 0)] as const,
              ),
            ]}
          />
        </div>
      )}
      <ZoneNote />
      {isOverview ? (
        <Shown
          of={kinds}
          isEmpty={({ length }: readonly SyncKind[]) => length === 0}
          empty={<p>{say('syncs.none')}</p>}
        >
          {(found) => <Overview kinds={found} choose={choose} />}
        </Shown>
      ) : (
        <Listed
          key={`${locationId} ${kind} ${state}`}
          filter={{
            ...(locationId !== undefined && { scope: locationId }),
            ...(kind !== 'any' && { kind }),
            ...(state !== 'any' && { state }),
          }}
        />
      )}
    </section>
  )
}

/** What is wrong stands first. */
function Overview({
  kinds,
  choose,
}: {
  kinds: readonly SyncKind[]
  choose(kind: string, state: State | 'any'): void
}) {
  const ordered = kinds.toSorted(
    (a, b) => Number(wrongOf(b) > 0) - Number(wrongOf(a) > 0) || b.latestAt.localeCompare(a.latestAt),
  )
  return (
    <ul class="rows">
      {ordered.map((kind) =>
        allOf(kind) > FEW ? (
          <Group key={kind.kind} of={kind} choose={choose} />
        ) : (
          <Few key={kind.kind} of={kind} />
        ),
      )}
    </ul>
  )
}

function Few({ of }: { of: SyncKind }) {
  const { api } = useConsole()
  const { kind, latestAt, running } = of
  const runs = useLoaded(() => readRuns(api, { kind }, FEW), [api, kind, latestAt])
  useWatch(running > 0, runs.reload)
  return <RunRows runs={runs.data?.syncs ?? []} />
}

function Group({ of, choose }: { of: SyncKind; choose(kind: string, state: State | 'any'): void }) {
  const { say, find, count, language } = useWords()
  const all = allOf(of)
  const isWrong = wrongOf(of) > 0
  const settled = all - of.running
  const figure = new Intl.NumberFormat(language)
  return (
    <li data-sync-kind={of.kind} class={isWrong ? 'trouble' : ''}>
      <div class="row-head">
        <strong>{kindName(of.kind, find)}</strong>
        <span class="muted small">{count('syncs.runs', all)}</span>
        <span class={`state ${isWrong ? 'bad' : of.running > 0 ? 'busy' : 'good'}`}>
          {isWrong
            ? count('syncs.wrong', wrongOf(of))
            : say(of.running > 0 ? 'sync.is.running' : 'sync.is.done')}
        </span>
        <Time at={of.latestAt} />
      </div>
      {of.running > 0 && (
        <progress
          aria-label={say('syncs.progress', { done: settled, total: all })}
          max={all}
          value={settled}
        />
      )}
      <div class="choice">
        {STATES.filter((state) => of[state] > 0).map((state) => (
          <button key={state} type="button" class="chip" onClick={() => choose(of.kind, state)}>
            {say(`sync.is.${state}`)} <span class="count">{figure.format(of[state])}</span>
          </button>
        ))}
      </div>
    </li>
  )
}

function Listed({ filter }: { filter: Filter }) {
  const { say, count } = useWords()
  const { api } = useConsole()
  const cursors = useCursors()
  const { cursor } = cursors
  const page = useLoaded(
    () => readRuns(api, { ...filter, ...(cursor !== undefined && { cursor }) }),
    [api, cursor],
    ['all'],
  )
  useWatch(page.data?.syncs.some(({ state }) => state === 'running') === true, page.reload)
  return (
    <Shown
      of={page}
      isEmpty={({ syncs }) => syncs.length === 0 && cursor === undefined}
      empty={<p>{say('syncs.noneLike')}</p>}
    >
      {({ syncs, nextCursor, total }) => (
        <>
          <Runs runs={syncs} />
          <Pages cursors={cursors} next={nextCursor} total={count('syncs.runs', total)} />
        </>
      )}
    </Shown>
  )
}

/** Of one kind of work that was just asked for and begins in a moment, as it goes on. */
export function SyncProgress({ kind, none }: { kind: SyncRun['kind']; none: string }) {
  const { api } = useConsole()
  const runs = useLoaded(() => readRuns(api, { kind }), [api, kind], ['all'])
  useWatch(true, runs.reload)
  return (
    <Shown of={runs} isEmpty={({ syncs }) => syncs.length === 0} empty={<p>{none}</p>}>
      {({ syncs }) => <Runs runs={syncs} />}
    </Shown>
  )
}

function Runs({ runs }: { runs: readonly SyncRun[] }) {
  return (
    <ul class="rows">
      <RunRows runs={runs} />
    </ul>
  )
}

function RunRows({ runs }: { runs: readonly SyncRun[] }) {
  return (
    <>
      {runs.map((run) => (
        <li
          key={`${run.kind} ${run.scope}`}
          data-sync={run.state}
          class={TONES[run.state] === 'bad' ? 'trouble' : ''}
        >
          <Run run={run} />
        </li>
      ))}
    </>
  )
}

type Find = ReturnType<typeof useWords>['find']

const kindName = (kind: string, find: Find): string => find(`sync.${kind}`) ?? kind

/** It begins with a code where it is an error: `GHL_UNAVAILABLE: words`. */
function messageWords(text: string, find: Find): string {
  const [, code = '', message = text] = /^([A-Z][A-Z_]+): (.*)$/s.exec(text) ?? []
  return problemWords({ code, message, action: null }, find).message
}

function Run({ run }: { run: SyncRun }) {
  const { say, find } = useWords()
  const all = run.total ?? run.done + run.failed
  const label = say('syncs.progress', { done: run.done, total: all })
  const name = run.name ?? find(`sync.of.${run.scope}`) ?? run.scope
  return (
    <>
      <div class="row-head">
        <strong>{kindName(run.kind, find)}</strong>
        {run.kind === 'call-logs' ? (
          <a class="small" href={linkTo('locations', run.scope)}>
            {name}
          </a>
        ) : (
          <span class="muted small">{name}</span>
        )}
        <span class={`state ${TONES[run.state]}`}>{say(`sync.is.${run.state}`)}</span>
        <Time at={run.finishedAt ?? run.startedAt} />
      </div>
      {(run.state === 'running' || run.state === 'interrupted') && all > 0 && (
        <progress aria-label={label} max={Math.max(1, all)} value={run.done + run.failed} />
      )}
      {all > 0 && (
        <p class="muted small">
          {label}
          {run.failed > 0 && <span class="failure"> · {say('syncs.failed', { count: run.failed })}</span>}
        </p>
      )}
      {run.message !== null && run.state !== 'done' && (
        <p class="problem">{messageWords(run.message, find)}</p>
      )}
    </>
  )
}

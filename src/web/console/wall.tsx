/** Every location on one wall: its tokens, its numbers, what is wrong. */
import { useEffect, useState } from 'preact/hooks'
import { got } from '../api/client.ts'
import { Button } from '../parts/button.tsx'
import { useWords } from '../words/spoken.tsx'
import { Agencies } from './agencies.tsx'
import { Bulk } from './bulk.tsx'
import { NumberChips, TokenHealth } from './location-state.tsx'
import { Choice, Pages, Shown } from './parts.tsx'
import { linkTo, useWallView } from './routes.ts'
import type { Health, Location, NumbersState } from './shapes.ts'
import { useConsole, useLoaded } from './use-console.ts'

const SHOWN = 50
/** The API's most. */
const AT_ONCE = 500
const TYPING_MS = 250
const HEALTHS = [
  'needs_reconnect',
  'expired',
  'pending',
  'expiring',
  'healthy',
  'deactivated',
  'uninstalled',
] as const satisfies readonly Health[]
const NUMBERS = ['person', 'scan', 'reconnecting', 'ready', 'none'] as const satisfies readonly NumbersState[]

export function Wall() {
  const { say, count } = useWords()
  const { api, chosen, choose } = useConsole()
  const [view, change] = useWallView()
  const [typed, setTyped] = useState(view.search)
  const stack = view.cursors === '' ? [] : view.cursors.split(',')
  const cursor = stack.at(-1)
  useEffect(() => {
    if (typed.trim() === view.search) return undefined
    const timer = setTimeout(() => change({ search: typed.trim(), cursors: '' }), TYPING_MS)
    return () => clearTimeout(timer)
  }, [typed, view.search])
  const health = HEALTHS.find((each) => each === view.health)
  const numbers = NUMBERS.find((each) => each === view.numbers)
  const filter = {
    order: 'trouble' as const,
    ...(view.search !== '' && { search: view.search }),
    ...(health !== undefined && { health }),
    ...(numbers !== undefined && { numbers }),
  }
  const ask = (limit: number, from: string | undefined) =>
    got(
      api.GET('/api/ghl/locations', {
        params: { query: { ...filter, limit, ...(from !== undefined && { cursor: from }) } },
      }),
    )
  const page = useLoaded(() => ask(SHOWN, cursor), [api, view], ['numbers'])
  const counts = useLoaded(() => got(api.GET('/api/console/counts')), [api], ['numbers'])
  const all = Object.values(counts.data?.tokens ?? {}).reduce((sum, each) => sum + each, 0)
  const look = async () => {
    await Promise.all([page.reload(), counts.reload()])
  }
  const everyMatch = async () => {
    let from: string | undefined
    do {
      const { locations, nextCursor } = await ask(AT_ONCE, from)
      choose(
        locations.map(({ locationId }) => locationId),
        true,
      )
      from = nextCursor ?? undefined
    } while (from !== undefined)
  }

  return (
    <div class="stack">
      <Agencies />
      <Bulk done={look} />
      <div class="card filters">
        <input
          type="search"
          aria-label={say('wall.search')}
          placeholder={say('wall.search')}
          value={typed}
          onInput={({ currentTarget }) => setTyped(currentTarget.value)}
        />
        <Choice
          label={say('wall.tokens')}
          value={health ?? 'any'}
          choose={(next) => change({ health: next === 'any' ? '' : next, cursors: '' })}
          options={[
            ['any', say('wall.any'), all],
            ...HEALTHS.flatMap((each) => {
              const many = counts.data?.tokens[each] ?? 0
              return many > 0 || each === health ? [[each, say(`token.${each}`), many] as const] : []
            }),
          ]}
        />
        <Choice
          label={say('wall.numbers')}
          value={numbers ?? 'any'}
          choose={(next) => change({ numbers: next === 'any' ? '' : next, cursors: '' })}
          options={[
            ['any', say('wall.anyNumbers')],
            ...NUMBERS.map((each) => [each, say(`wall.${each}`), counts.data?.numbers[each] ?? 0] as const),
          ]}
        />
      </div>
      <Shown
        of={page}
        isEmpty={({ locations }) => locations.length === 0 && cursor === undefined}
        empty={
          Object.keys(filter).length > 1 ? (
            <p>{say('wall.notFound')}</p>
          ) : (
            <>
              <h2>{say('wall.empty')}</h2>
              <p>{say('wall.empty.do')}</p>
              <a class="as-button main" href={linkTo('setup')}>
                {say('console.place.setup')}
              </a>
            </>
          )
        }
      >
        {({ locations, total, nextCursor }) => (
          <div>
            <div class="choosing">
              <Button
                kind="quiet"
                act={async () =>
                  choose(
                    locations.map(({ locationId }) => locationId),
                    true,
                  )
                }
              >
                {count('wall.chooseShown', locations.length)}
              </Button>
              {total > locations.length && (
                <Button kind="quiet" act={everyMatch}>
                  {count('wall.chooseAll', total)}
                </Button>
              )}
            </div>
            <ul class="wall">
              {locations.map((location) => (
                <Row
                  key={location.locationId}
                  location={location}
                  isChosen={chosen.has(location.locationId)}
                  choose={(isChosen) => choose([location.locationId], isChosen)}
                />
              ))}
            </ul>
            <Pages
              cursors={{
                cursor,
                number: stack.length + 1,
                next: (next) => change({ cursors: [...stack, next].join(',') }),
                back: () => change({ cursors: stack.slice(0, -1).join(',') }),
              }}
              next={nextCursor}
              total={count('wall.count', total)}
            />
          </div>
        )}
      </Shown>
    </div>
  )
}

function Row({
  location,
  isChosen,
  choose,
}: {
  location: Location
  isChosen: boolean
  choose(isChosen: boolean): void
}) {
  const { say, count } = useWords()
  const name = location.name ?? location.locationId
  const { dead, held } = location
  return (
    <li data-location={location.locationId} data-health={location.tokenHealth}>
      <input
        type="checkbox"
        aria-label={say('wall.choose', { name })}
        checked={isChosen}
        onChange={({ currentTarget }) => choose(currentTarget.checked)}
      />
      <div class="who">
        <a href={linkTo('locations', location.locationId)}>{name}</a>
        <span class="muted small">{location.companyName ?? location.locationId}</span>
      </div>
      <div>
        <TokenHealth health={location.tokenHealth} />
        {dead + held > 0 && (
          <a class="letters-of small" href={linkTo('messages', location.locationId)}>
            {[dead > 0 && count('wall.dead', dead), held > 0 && count('wall.held', held)]
              .filter((each) => each !== false)
              .join(' · ')}
          </a>
        )}
      </div>
      <NumberChips sessions={location.sessions} />
    </li>
  )
}

/** Every location on one wall: its tokens, its numbers, what is wrong. */
import { useEffect, useState } from 'preact/hooks'
import { got } from '../api/client.ts'
import { useWords } from '../words/spoken.tsx'
import { Bulk } from './bulk.tsx'
import { NumberChips, TokenHealth } from './location-state.tsx'
import { Choice, Pages, Shown, useCursors } from './parts.tsx'
import { linkTo } from './routes.ts'
import type { Health, Location, NumbersState } from './shapes.ts'
import { useConsole, useLoaded } from './use-console.ts'

const SHOWN = 50
const TYPING_MS = 250
const HEALTHS = [
  'healthy',
  'expiring',
  'expired',
  'pending',
  'needs_reconnect',
  'uninstalled',
  'deactivated',
] as const
const NUMBERS = ['ready', 'trouble', 'none'] as const

export function Wall() {
  const { say, count } = useWords()
  const { api } = useConsole()
  const cursors = useCursors()
  const [typed, setTyped] = useState('')
  const [search, setSearch] = useState('')
  const [health, setHealth] = useState<Health | 'any'>('any')
  const [numbers, setNumbers] = useState<NumbersState | 'any'>('any')
  const [chosen, setChosen] = useState<ReadonlyMap<string, Location>>(new Map())
  useEffect(() => {
    const timer = setTimeout(() => {
      setSearch(typed.trim())
      cursors.reset()
    }, TYPING_MS)
    return () => clearTimeout(timer)
  }, [typed])

  const page = useLoaded(
    () => {
      const query = {
        limit: SHOWN,
        ...(search !== '' && { search }),
        ...(health !== 'any' && { health }),
        ...(numbers !== 'any' && { numbers }),
        ...(cursors.cursor !== undefined && { cursor: cursors.cursor }),
      }
      return got(api.GET('/api/ghl/locations', { params: { query } }))
    },
    [api, search, health, numbers, cursors.cursor],
    ['numbers'],
  )
  const counts = useLoaded(() => got(api.GET('/api/console/counts')), [api], ['numbers'])
  const all = Object.values(counts.data?.tokens ?? {}).reduce((sum, each) => sum + each, 0)
  const look = async () => {
    await Promise.all([page.reload(), counts.reload()])
  }
  const choose = (location: Location, isChosen: boolean) => {
    const next = new Map(chosen)
    if (isChosen) next.set(location.locationId, location)
    else next.delete(location.locationId)
    setChosen(next)
  }
  const isFiltered = search !== '' || health !== 'any' || numbers !== 'any'

  return (
    <div class="stack">
      <Bulk chosen={[...chosen.values()]} done={look} clear={() => setChosen(new Map())} />
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
          value={health}
          choose={(next) => {
            setHealth(next)
            cursors.reset()
          }}
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
          value={numbers}
          choose={(next) => {
            setNumbers(next)
            cursors.reset()
          }}
          options={[
            ['any', say('wall.anyNumbers')],
            ...NUMBERS.map((each) => [each, say(`wall.${each}`), counts.data?.numbers[each] ?? 0] as const),
          ]}
        />
      </div>
      <Shown
        of={page}
        isEmpty={({ locations }) => locations.length === 0 && cursors.cursor === undefined}
        empty={
          isFiltered ? (
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
          <>
            <ul class="wall">
              {locations.map((location) => (
                <Row
                  key={location.locationId}
                  location={location}
                  isChosen={chosen.has(location.locationId)}
                  choose={(isChosen) => choose(location, isChosen)}
                />
              ))}
            </ul>
            <Pages cursors={cursors} next={nextCursor} total={count('wall.count', total)} />
          </>
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
  const { say } = useWords()
  const name = location.name ?? location.locationId
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
      <TokenHealth health={location.tokenHealth} />
      <NumberChips sessions={location.sessions} />
    </li>
  )
}

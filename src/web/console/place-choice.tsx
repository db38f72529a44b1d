/** Choosing locations by name, agency, id or number: nobody knows ids by heart, and there are thousands. */
import { useEffect, useState } from 'preact/hooks'
import { type Api, got } from '../api/client.ts'
import { failureWords } from '../parts/problem-words.ts'
import { useWords } from '../words/spoken.tsx'
import { useNames } from './names.ts'
import { linkTo, type Place } from './routes.ts'
import type { Location } from './shapes.ts'
import { useConsole } from './use-console.ts'

const SHOWN = 8
const TYPING_MS = 250

export type Named = Pick<Location, 'locationId' | 'name'>

interface Found {
  readonly locations: readonly Location[]
  readonly total: number
}

function useSearch(api: Api, text: string): { readonly found?: Found; readonly failure?: unknown } {
  const [state, setState] = useState<{ found?: Found; failure?: unknown }>({})
  const search = text.trim()
  useEffect(() => {
    if (search === '') {
      setState({})
      return undefined
    }
    let isOver = false
    const query = { search, limit: SHOWN }
    const timer = setTimeout(() => {
      const show = (next: { found?: Found; failure?: unknown }) => {
        if (!isOver) setState(next)
      }
      got(api.GET('/api/ghl/locations', { params: { query } })).then(
        (found) => show({ found }),
        (failure: unknown) => show({ failure }),
      )
    }, TYPING_MS)
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }, [api, search])
  return state
}

/** A field to search in, and what it finds as buttons. */
export function PlaceSearch({
  label,
  without = [],
  choose,
}: {
  label: string
  /** Chosen already. */
  without?: readonly string[]
  choose(place: Named): void
}) {
  const { say, count, find } = useWords()
  const { api } = useConsole()
  const [typed, setTyped] = useState('')
  const { found, failure } = useSearch(api, typed)
  const offered = found?.locations.filter(({ locationId }) => !without.includes(locationId)) ?? []
  const more = (found?.total ?? 0) - (found?.locations.length ?? 0)
  return (
    <div class="place-search">
      <input
        type="search"
        aria-label={label}
        placeholder={label}
        value={typed}
        onInput={({ currentTarget }) => setTyped(currentTarget.value)}
      />
      {failure !== undefined && <p class="failure">{failureWords(failure, find)}</p>}
      {typed.trim() !== '' && found !== undefined && (
        <div class="found">
          <ul aria-label={label}>
            {offered.map((place) => (
              <li key={place.locationId}>
                <button
                  type="button"
                  class="quiet"
                  onClick={() => {
                    setTyped('')
                    choose(place)
                  }}
                >
                  <span>{place.name ?? place.locationId}</span>
                  <span class="muted small">
                    {[place.companyName, place.locationId].filter(Boolean).join(' · ')}
                  </span>
                </button>
              </li>
            ))}
          </ul>
          <p class="muted small more" role="status">
            {found.total === 0 ? say('place.none') : more > 0 && count('place.more', more)}
          </p>
        </div>
      )}
    </div>
  )
}

/** Any number of locations; none means all of them. */
export function PlacesChoice({
  label,
  chosen,
  choose,
}: {
  label: string
  chosen: readonly Named[]
  choose(chosen: readonly Named[]): void
}) {
  const { say } = useWords()
  return (
    <div class="field">
      <strong>{label}</strong>
      <ul class="chosen-places">
        {chosen.length === 0 && <li class="muted">{say('keys.everywhere')}</li>}
        {chosen.map((place) => (
          <li key={place.locationId}>
            <Chosen
              name={place.name ?? place.locationId}
              drop={() => choose(chosen.filter((each) => each !== place))}
            />
          </li>
        ))}
      </ul>
      <PlaceSearch
        label={say('place.search')}
        without={chosen.map(({ locationId }) => locationId)}
        choose={(place) => choose([...chosen, place])}
      />
    </div>
  )
}

function Chosen({ name, drop }: { name: string; drop(): void }) {
  const { say } = useWords()
  return (
    <button type="button" class="chip" aria-label={say('place.drop', { name })} onClick={drop}>
      {name} <span aria-hidden="true">×</span>
    </button>
  )
}

/** The location that a list is about stands in the address, so that it can be sent on and the browser's Back leads out of it. */
export function PlaceFilter({ place, locationId }: { place: Place; locationId: string | undefined }) {
  const { say } = useWords()
  const { api } = useConsole()
  const names = useNames(api, locationId === undefined ? [] : [locationId])
  const go = (to?: string) => {
    location.hash = linkTo(place, to)
  }
  if (locationId === undefined)
    return <PlaceSearch label={say('place.only')} choose={(found) => go(found.locationId)} />
  return (
    <p class="only">
      <a href={linkTo('locations', locationId)}>{names.get(locationId) ?? locationId}</a>{' '}
      <a href={linkTo(place)}>{say('letters.everywhere')}</a>
    </p>
  )
}

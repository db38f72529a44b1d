/** The page without GHL around it: the operator shows the server's key, then chooses the location. Both live in memory only. */
import type { ComponentChildren } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { createApi, type Get, got, type Login } from '../api/client.ts'
import { LocationView } from '../location/location-view.tsx'
import { Button } from '../parts/button.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { Frame } from '../parts/frame.tsx'
import { createOperatorLogin } from '../parts/operator-login.ts'
import { failureWords } from '../parts/problem-words.ts'
import { SignIn } from '../parts/sign-in.tsx'
import { useWords } from '../words/spoken.tsx'

type Found = Get<'/api/ghl/locations'>
type Chosen = Pick<Found['locations'][number], 'locationId' | 'name'>

/** GHL leaves its placeholder where it does not know the location. */
function namedLocation(): string {
  const named = new URLSearchParams(location.search).get('location') ?? ''
  return /^[\w-]+$/.test(named) ? named : ''
}

/** @param children what those see who are no operators. */
export function StandAlone({ children }: { children: ComponentChildren }) {
  const { say } = useWords()
  const [door, setDoor] = useState<'first' | 'in' | 'again'>('first')
  const [chosen, choose] = useState<Chosen>()
  const login = useMemo(() => createOperatorLogin((isNeeded) => setDoor(isNeeded ? 'again' : 'in')), [])
  if (door === 'first')
    return (
      <Frame isNarrow>
        {children}
        <details class="aside">
          <summary>{say('outside.signIn')}</summary>
          <SignIn enter={login.enter} button={say('outside.enter')} />
        </details>
      </Frame>
    )
  return (
    <>
      {chosen === undefined ? (
        <Frame isNarrow>
          <Places login={login} choose={choose} />
        </Frame>
      ) : (
        <LocationView
          locationId={chosen.locationId}
          login={login}
          isAdmin
          title={chosen.name ?? say('location.title')}
        />
      )}
      {door === 'again' && (
        <Dialog title={say('console.again')} close={() => location.reload()}>
          <SignIn enter={login.enter} button={say('outside.enter')} />
        </Dialog>
      )}
    </>
  )
}

/** The location that the address names is opened at once. */
function Places({ login, choose }: { login: Login; choose(chosen: Chosen): void }) {
  const { say, find } = useWords()
  const api = useMemo(() => createApi(login), [login])
  const [search, setSearch] = useState('')
  const [found, setFound] = useState<Found>()
  const [failure, setFailure] = useState<unknown>()
  const [named] = useState(namedLocation)
  useEffect(() => {
    let isOver = false
    const query = { limit: 20, ...(search.trim() !== '' && { search: search.trim() }) }
    const look = async (): Promise<void> => {
      const [only] =
        named === '' || search !== ''
          ? []
          : (await got(api.GET('/api/ghl/locations', { params: { query: { locationId: named } } }))).locations
      if (isOver) return
      if (only !== undefined) choose(only)
      else setFound(await got(api.GET('/api/ghl/locations', { params: { query } })))
    }
    const timer = setTimeout(() => void look().then(() => setFailure(undefined), setFailure), 200)
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }, [api, search])
  return (
    <>
      <h1>{say('place.choose')}</h1>
      <label class="field">
        {say('place.search')}
        <input type="search" value={search} onInput={({ currentTarget }) => setSearch(currentTarget.value)} />
      </label>
      {failure !== undefined && <p class="problem">{failureWords(failure, find)}</p>}
      {found === undefined ? (
        <p class="muted">{say('pair.title.wait')}</p>
      ) : (
        <ul class="cards">
          {found.locations.map((each) => (
            <li key={each.locationId}>
              <Button kind="plain" act={async () => choose(each)}>
                {each.name ?? each.locationId}
              </Button>
            </li>
          ))}
        </ul>
      )}
      {found?.locations.length === 0 && <p class="muted">{say('place.none')}</p>}
    </>
  )
}

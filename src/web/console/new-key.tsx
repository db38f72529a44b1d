/** A key for one location, or for all; for several, one each, so that one can be revoked without the others. */
import { useState } from 'preact/hooks'
import { type Api, got } from '../api/client.ts'
import { Button } from '../parts/button.tsx'
import { failureWords } from '../parts/problem-words.ts'
import { useWords } from '../words/spoken.tsx'
import { useOneByOne } from './one-by-one.ts'
import { Copy } from './parts.tsx'
import { type Named, PlacesChoice } from './place-choice.tsx'
import type { ServiceScope } from './shapes.ts'
import { useConsole } from './use-console.ts'

/** In the order of docs/gateway.md. */
const SCOPES = [
  'proxy:read',
  'proxy:write',
  'media',
  'products',
  'sync',
  'tokens',
  'messages:inbound',
  'locations:read',
  'messages:read',
  'messages:write',
  'sessions:read',
  'sessions:write',
  'metrics',
] as const satisfies readonly ServiceScope[]
type Scope = (typeof SCOPES)[number]

/** The server's most for a name. */
const MOST_CHARACTERS = 100

interface Wanted {
  readonly name: string
  /** Undefined: all of them. */
  readonly place: Named | undefined
}

const placeName = (place: Named): string => place.name ?? place.locationId

async function make(api: Api, { name, place }: Wanted, scopes: readonly Scope[]): Promise<string> {
  const body = { name, scopes: [...scopes], ...(place !== undefined && { locationId: place.locationId }) }
  return (await got(api.POST('/api/keys', { body }))).key
}

export function NewKey({ made }: { made(): Promise<void> }) {
  const { say, count } = useWords()
  const { api } = useConsole()
  const [name, setName] = useState('')
  const [places, setPlaces] = useState<readonly Named[]>([])
  const [scopes, setScopes] = useState<readonly Scope[]>([])
  const { outcomes, run } = useOneByOne((wanted: Wanted) => make(api, wanted, scopes))
  const [isAsked, setAsked] = useState(false)
  const wanted: readonly Wanted[] =
    places.length > 1
      ? places.map((place) => ({
          name: `${name.trim()} · ${placeName(place)}`.slice(0, MOST_CHARACTERS),
          place,
        }))
      : [{ name: name.trim(), place: places[0] }]
  if (isAsked) return <Made outcomes={outcomes} all={wanted.length} />
  return (
    <>
      <label class="field">
        <strong>{say('number.name')}</strong>
        <input
          value={name}
          maxLength={MOST_CHARACTERS}
          onInput={({ currentTarget }) => setName(currentTarget.value)}
        />
      </label>
      <PlacesChoice label={say('keys.places')} chosen={places} choose={setPlaces} />
      <fieldset class="scopes">
        <legend>{say('keys.scopes')}</legend>
        {SCOPES.map((scope) => (
          <label key={scope} class="switch">
            <input
              type="checkbox"
              checked={scopes.includes(scope)}
              onChange={({ currentTarget }) =>
                setScopes(
                  SCOPES.filter((each) => (each === scope ? currentTarget.checked : scopes.includes(each))),
                )
              }
            />
            <span>
              <strong>
                {say(`scope.${scope}`)} <code class="muted">{scope}</code>
              </strong>
              <span class="muted small">{say(`scope.${scope}.why`)}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {places.length > 1 && <p class="muted">{count('keys.oneEach', places.length)}</p>}
      <Button
        isDisabled={name.trim() === '' || scopes.length === 0}
        act={async () => {
          setAsked(true)
          await run(wanted)
          await made()
        }}
      >
        {places.length > 1 ? count('keys.makeMany', places.length) : say('keys.make')}
      </Button>
    </>
  )
}

function Made({
  outcomes,
  all,
}: {
  outcomes: ReturnType<typeof useOneByOne<Wanted, string>>['outcomes']
  all: number
}) {
  const { say, find } = useWords()
  const made = outcomes.flatMap(({ item, result }) =>
    result === undefined ? [] : [{ ...item, key: result }],
  )
  const lines = made.map(({ place, key }) => `${place === undefined ? '' : `${placeName(place)}\t`}${key}`)
  return (
    <div role="status">
      {all > 1 && <progress aria-label={say('keys.new')} max={all} value={outcomes.length} />}
      {made.length > 0 && <p class="problem">{say('keys.once')}</p>}
      {made.map(({ name, place, key }) => (
        <div key={place?.locationId} class="field with-button">
          <label>
            {all > 1 && name}
            <input
              readOnly
              aria-label={all > 1 ? name : say('keys.key')}
              value={key}
              onFocus={({ currentTarget }) => currentTarget.select()}
            />
          </label>
          <Copy text={key} />
        </div>
      ))}
      {outcomes.map(
        ({ item, failure }) =>
          failure !== undefined && (
            <p key={item.name} class="failure">
              {item.name}: {failureWords(failure, find)}
            </p>
          ),
      )}
      {made.length > 1 && (
        <div class="with-button">
          <textarea readOnly rows={3} aria-label={say('keys.all')} value={lines.join('\n')} />
          <Copy text={lines.join('\n')} />
        </div>
      )}
    </div>
  )
}

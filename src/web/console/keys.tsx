/** Keys of sibling backends: made with what they may do, shown once, revoked. */
import { useState } from 'preact/hooks'
import { got } from '../api/client.ts'
import { Button } from '../parts/button.tsx'
import { Copy } from '../parts/copy.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { clockOf } from '../parts/times.ts'
import { useWords } from '../words/spoken.tsx'
import { Shown } from './parts.tsx'
import type { ServiceKey, ServiceScope } from './shapes.ts'
import { useConsole, useLoaded } from './use-console.ts'

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

export function Keys() {
  const { say } = useWords()
  const { api } = useConsole()
  const [isOpen, setOpen] = useState(false)
  const list = useLoaded(() => got(api.GET('/api/keys')), [api])
  return (
    <section aria-labelledby="keys">
      <div class="section-head">
        <h2 id="keys">{say('console.place.keys')}</h2>
        <Button act={async () => setOpen(true)}>{say('keys.new')}</Button>
      </div>
      <p class="muted">{say('keys.why')}</p>
      <Shown of={list} isEmpty={({ keys }) => keys.length === 0} empty={<p>{say('keys.none')}</p>}>
        {({ keys }) => (
          <ul class="rows">
            {keys.map((key) => (
              <li key={key.id} data-key={key.name}>
                <Line serviceKey={key} look={list.reload} />
              </li>
            ))}
          </ul>
        )}
      </Shown>
      {isOpen && (
        <Dialog title={say('keys.new')} close={() => setOpen(false)}>
          <NewKey made={list.reload} />
        </Dialog>
      )}
    </section>
  )
}

function Line({ serviceKey: key, look }: { serviceKey: ServiceKey; look(): Promise<void> }) {
  const { say, language } = useWords()
  const { api } = useConsole()
  const [isSure, setSure] = useState(false)
  return (
    <>
      <div class="row-head">
        <strong>{key.name}</strong>
        <span class="muted small">{key.locationId ?? say('keys.everywhere')}</span>
        <span class="muted small">
          {key.lastUsedAt === null
            ? say('keys.unused')
            : say('keys.used', { time: clockOf(key.lastUsedAt, language) })}
        </span>
        <Button
          kind="danger"
          label={say('keys.revokeOne', { name: key.name })}
          act={async () => setSure(true)}
        >
          {say('keys.revoke')}
        </Button>
      </div>
      <p class="muted small">{key.scopes.join(', ')}</p>
      {isSure && (
        <Dialog title={say('keys.revokeOne', { name: key.name })} close={() => setSure(false)}>
          <p>{say('keys.revoke.sure')}</p>
          <Button
            kind="danger"
            act={async () => {
              await got(api.DELETE('/api/keys/{id}', { params: { path: { id: key.id } } }))
              await look()
            }}
          >
            {say('keys.revoke')}
          </Button>
        </Dialog>
      )}
    </>
  )
}

function NewKey({ made }: { made(): Promise<void> }) {
  const { say } = useWords()
  const { api } = useConsole()
  const [name, setName] = useState('')
  const [locationId, setLocation] = useState('')
  const [scopes, setScopes] = useState<ReadonlySet<ServiceScope>>(new Set())
  const [key, setKey] = useState<string>()
  const create = async (): Promise<void> => {
    const where = locationId.trim()
    const body = { name: name.trim(), scopes: [...scopes], ...(where !== '' && { locationId: where }) }
    setKey((await got(api.POST('/api/keys', { body }))).key)
    await made()
  }
  const turn = (scope: ServiceScope, isOn: boolean) => {
    const next = new Set(scopes)
    if (isOn) next.add(scope)
    else next.delete(scope)
    setScopes(next)
  }
  if (key !== undefined) {
    return (
      <div role="status">
        <p class="problem">{say('keys.once')}</p>
        <div class="with-button">
          <input
            readOnly
            aria-label={say('keys.key')}
            value={key}
            onFocus={({ currentTarget }) => currentTarget.select()}
          />
          <Copy text={key} />
        </div>
      </div>
    )
  }
  return (
    <>
      <label class="field">
        <strong>{say('number.name')}</strong>
        <input value={name} maxLength={100} onInput={({ currentTarget }) => setName(currentTarget.value)} />
      </label>
      <label class="field">
        <strong>{say('keys.location')}</strong>
        <input
          value={locationId}
          maxLength={64}
          onInput={({ currentTarget }) => setLocation(currentTarget.value)}
        />
      </label>
      <fieldset class="scopes">
        <legend>{say('keys.scopes')}</legend>
        {SCOPES.map((scope) => (
          <label key={scope} class="switch">
            <input
              type="checkbox"
              checked={scopes.has(scope)}
              onChange={({ currentTarget }) => turn(scope, currentTarget.checked)}
            />
            <code>{scope}</code>
          </label>
        ))}
      </fieldset>
      <Button isDisabled={name.trim() === '' || scopes.size === 0} act={create}>
        {say('keys.make')}
      </Button>
    </>
  )
}

/** Keys of sibling backends: made with what they may do, shown once, revoked. */
import { useState } from 'preact/hooks'
import { got } from '../api/client.ts'
import { Button } from '../parts/button.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { useWords } from '../words/spoken.tsx'
import { useNames } from './names.ts'
import { NewKey } from './new-key.tsx'
import { Shown } from './parts.tsx'
import { linkTo } from './routes.ts'
import type { ServiceKey } from './shapes.ts'
import { useNamedClock } from './times.tsx'
import { useConsole, useLoaded } from './use-console.ts'

export function Keys() {
  const { say } = useWords()
  const { api } = useConsole()
  const [isOpen, setOpen] = useState(false)
  const list = useLoaded(() => got(api.GET('/api/keys')), [api])
  const names = useNames(
    api,
    (list.data?.keys ?? []).flatMap(({ locationId }) => locationId ?? []),
  )
  return (
    <section aria-labelledby="keys" class="stack">
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
                <Line serviceKey={key} place={names.get(key.locationId ?? '')} look={list.reload} />
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

function Line({
  serviceKey: key,
  place,
  look,
}: {
  serviceKey: ServiceKey
  place: string | undefined
  look(): Promise<void>
}) {
  const { say, find } = useWords()
  const clock = useNamedClock()
  const { api } = useConsole()
  const [isSure, setSure] = useState(false)
  return (
    <>
      <div class="row-head">
        <strong>{key.name}</strong>
        {key.locationId === null ? (
          <span class="small">{say('keys.everywhere')}</span>
        ) : (
          <a class="small" href={linkTo('locations', key.locationId)}>
            {place ?? key.locationId}
          </a>
        )}
        <span class="muted small">
          {key.lastUsedAt === null ? say('keys.unused') : say('keys.used', { time: clock(key.lastUsedAt) })}
        </span>
        <Button
          kind="danger"
          label={say('keys.revokeOne', { name: key.name })}
          act={async () => setSure(true)}
        >
          {say('keys.revoke')}
        </Button>
      </div>
      <ul class="may" aria-label={say('keys.scopes')}>
        {key.scopes.map((scope) => (
          <li key={scope} title={find(`scope.${scope}.why`)}>
            {find(`scope.${scope}`)} <code class="muted">{scope}</code>
          </li>
        ))}
      </ul>
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

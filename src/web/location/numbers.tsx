import { useState } from 'preact/hooks'
import { type Api, got, type Login, type Session } from '../api/client.ts'
import { Button } from '../parts/button.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { useWords } from '../words/spoken.tsx'
import { AddNumber } from './add-number.tsx'
import { NumberCard } from './number-card.tsx'
import { PairNumber } from './pair-number.tsx'

export interface NumbersProps {
  readonly api: Api
  readonly login: Login
  readonly locationId: string
  readonly isAdmin: boolean
  readonly sessions: readonly Session[] | undefined
}

export function Numbers({ api, locationId, isAdmin, sessions }: NumbersProps) {
  const { say } = useWords()
  const [open, setOpen] = useState<'add' | { readonly pairing: string } | undefined>()
  const pairing = typeof open === 'object' ? sessions?.find(({ id }) => id === open.pairing) : undefined
  const close = () => {
    setOpen(undefined)
  }
  return (
    <section aria-labelledby="numbers">
      <div class="section-head">
        <h2 id="numbers">{say('numbers.title')}</h2>
        {isAdmin && <Button act={async () => setOpen('add')}>{say('numbers.add')}</Button>}
      </div>
      {sessions === undefined && <p class="card muted">{say('pair.title.wait')}</p>}
      {sessions?.length === 0 && (
        <div class="card empty">
          <h3>{say('numbers.none')}</h3>
          <p>{say('numbers.none.do')}</p>
        </div>
      )}
      <ul class="cards">
        {sessions?.map((session) => (
          <li key={session.id}>
            <NumberCard
              api={api}
              session={session}
              isAdmin={isAdmin}
              pair={() => {
                setOpen({ pairing: session.id })
              }}
            />
          </li>
        ))}
      </ul>
      {open === 'add' && (
        <Dialog title={say('numbers.add')} close={close}>
          <AddNumber
            create={async (wish) => {
              const path = { locationId }
              const made = await got(
                api.POST('/ghl/location/{locationId}/session', { params: { path }, body: wish }),
              )
              setOpen({ pairing: made.session_id })
            }}
          />
        </Dialog>
      )}
      {typeof open === 'object' && (
        <Dialog title={say('numbers.pairing')} close={close}>
          <PairNumber api={api} session={pairing} done={close} />
        </Dialog>
      )}
    </section>
  )
}

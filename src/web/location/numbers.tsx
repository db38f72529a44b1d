import { useEffect, useState } from 'preact/hooks'
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
  const add = <Button act={async () => setOpen('add')}>{say('numbers.add')}</Button>
  // It was in the list before: somebody has removed it meanwhile.
  const isGone = useGone(typeof open === 'object' ? open.pairing : undefined, sessions)
  return (
    <section aria-labelledby="numbers">
      <div class="section-head">
        <h2 id="numbers">{say('numbers.title')}</h2>
        {isAdmin && sessions?.length !== 0 && add}
      </div>
      {sessions === undefined && <p class="card muted">{say('pair.title.wait')}</p>}
      {sessions?.length === 0 && (
        <div class="card empty">
          <h3>{say('numbers.none')}</h3>
          <p>{say(isAdmin ? 'numbers.none.do' : 'numbers.none.user')}</p>
          {isAdmin && add}
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
          {isGone ? (
            <>
              <p>{say('numbers.gone')}</p>
              <Button act={async () => close()}>{say('close')}</Button>
            </>
          ) : (
            <PairNumber api={api} session={pairing} done={close} />
          )}
        </Dialog>
      )}
    </section>
  )
}

/** True for a number that was in the list and is not any more; one that was just made may come a moment later. */
function useGone(id: string | undefined, sessions: readonly Session[] | undefined): boolean {
  const [seen, setSeen] = useState<string>()
  const isHere = id !== undefined && sessions?.some((session) => session.id === id) === true
  useEffect(() => {
    if (isHere) setSeen(id)
  }, [id, isHere])
  return id !== undefined && seen === id && !isHere
}

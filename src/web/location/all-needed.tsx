/** One deed for all that waits for a person: said first, with how many; then done one after the other. */
import { type Api, got, type Message } from '../api/client.ts'
import { Failure } from '../api/failure.ts'
import { Button } from '../parts/button.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { useOneByOne } from '../parts/one-by-one.ts'
import { failureWords } from '../parts/problem-words.ts'
import { useWords } from '../words/spoken.tsx'
import { type Mail, readNeeded } from './mail.ts'

/** What is to be done, and to which: as they were when it was asked for; what comes later is not touched. */
export interface Wanted {
  readonly deed: 'send' | 'discard'
  readonly messages: readonly Message[]
}

export interface AllNeededProps {
  readonly api: Api
  readonly locationId: string
  readonly mail: Pick<Mail, 'needed' | 'held'>
  /** Asks whether it is meant. */
  want(wanted: Wanted): void
}

export function AllNeeded({ api, locationId, mail: { needed, held }, want }: AllNeededProps) {
  const { count } = useWords()
  const all = needed.total ?? 0
  return (
    <div class="actions">
      {held > 1 && (
        <Button
          kind="plain"
          act={async () => want({ deed: 'send', messages: await readNeeded(api, locationId, 'held') })}
        >
          {count('mail.sendAll', held)}
        </Button>
      )}
      {all > 1 && (
        <Button
          kind="quiet-danger"
          act={async () => want({ deed: 'discard', messages: await readNeeded(api, locationId) })}
        >
          {count('mail.discardAll', all)}
        </Button>
      )}
    </div>
  )
}

export interface SureProps extends Wanted {
  readonly api: Api
  look(): Promise<void>
  close(): void
}

export function Sure({ deed, messages, api, look, close }: SureProps) {
  const { say, count, find } = useWords()
  const { outcomes, run } = useOneByOne(({ id }: Message) => command(api, deed, id))
  const many = messages.length
  const held = messages.filter(({ state }) => state === 'held').length
  const failures = outcomes.flatMap(({ failure }) => (failure === undefined ? [] : [failure]))
  const isOver = outcomes.length === many
  const begin = async (): Promise<void> => {
    await run(messages)
    await look()
  }
  return (
    <Dialog title={count(deed === 'send' ? 'mail.sendAll' : 'mail.discardAll', many)} close={close}>
      {isOver ? (
        <>
          <p role="status">{count('mail.all.done', many - failures.length)}</p>
          {failures.length > 0 && (
            <p class="failure">
              {count('mail.all.failed', failures.length)} {failureWords(failures[0], find)}
            </p>
          )}
          <Button act={async () => close()}>{say('done')}</Button>
        </>
      ) : (
        <>
          <p>{count(deed === 'send' ? 'mail.sendAll.sure' : 'mail.discardAll.sure', many)}</p>
          {deed === 'discard' && held > 0 && held < many && <p>{count('mail.discardAll.held', held)}</p>}
          {outcomes.length > 0 && (
            <progress
              aria-label={say('syncs.progress', { done: outcomes.length, total: many })}
              max={many}
              value={outcomes.length}
            />
          )}
          <div class="actions">
            <Button kind={deed === 'send' ? 'main' : 'danger'} act={begin}>
              {count(deed === 'send' ? 'mail.sendAll.yes' : 'mail.discardAll.yes', many)}
            </Button>
            <Button kind="plain" act={async () => close()}>
              {say(outcomes.length > 0 ? 'mail.all.stop' : 'cancel')}
            </Button>
          </div>
        </>
      )}
    </Dialog>
  )
}

/** Under the server's limit for one person a hundred take a while, and none is given up for it. */
const PAUSE_MS = 5_000

async function command(api: Api, deed: Wanted['deed'], id: string): Promise<void> {
  const params = { path: { id } }
  for (;;) {
    const asked =
      deed === 'send'
        ? api.POST('/api/messages/{id}/retry', { params })
        : api.POST('/api/messages/{id}/discard', { params })
    try {
      await got(asked)
      return
    } catch (thrown) {
      if (!(thrown instanceof Failure) || thrown.status !== 429) throw thrown
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  }
}

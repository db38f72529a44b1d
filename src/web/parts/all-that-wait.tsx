/** One deed for all that waits for a person, not only for what is on the screen: first it is said how many they are, then they are done batch by batch. */
import { useState } from 'preact/hooks'
import { type Api, type Get, got } from '../api/client.ts'
import { Failure } from '../api/failure.ts'
import { useWords } from '../words/spoken.tsx'
import { Button } from './button.tsx'
import { Dialog } from './dialog.tsx'
import { useIsHere } from './is-here.ts'
import { failureWords } from './problem-words.ts'

/** A batch that came too soon for the server's limit is asked for again after this. */
const PAUSE_MS = 5_000

/** To which: of one location or of all, failed or held or both. */
interface Asked {
  readonly state?: 'failed' | 'held'
  readonly locationId?: string
}

interface Offer extends Asked {
  readonly deed: 'retry' | 'discard'
  readonly total: number
}

/** What was asked for, and to how many it would be done. */
interface Wanted {
  readonly deed: Offer['deed']
  readonly asked: Asked
  /** As they were when it was asked for: what comes later is left alone. */
  readonly found: Get<'/api/messages/waiting'>
}

const titleOf = (deed: Offer['deed'], state: Asked['state']) =>
  deed === 'discard' ? 'all.discard' : state === 'held' ? 'all.sendHeld' : 'all.retry'

/** One alone has its own buttons. */
export function AllThatWait({
  api,
  offers,
  want,
}: {
  api: Api
  offers: readonly Offer[]
  /** Asks whether it is meant. */
  want(wanted: Wanted): void
}) {
  const { count } = useWords()
  return (
    <div class="actions">
      {offers
        .filter(({ total }) => total > 1)
        .map(({ deed, total, ...asked }) => (
          <Button
            key={deed}
            kind={deed === 'retry' ? 'plain' : 'quiet-danger'}
            act={async () => {
              const found = await got(api.GET('/api/messages/waiting', { params: { query: asked } }))
              want({ deed, asked, found })
            }}
          >
            {count(titleOf(deed, asked.state), total)}
          </Button>
        ))}
    </div>
  )
}

/** The question, and then the deed. `dialog` belongs outside the list, which may be empty before the deed is done. */
export function useSure(api: Api, look: () => Promise<void>) {
  const [wanted, want] = useState<Wanted>()
  const close = () => {
    want(undefined)
    void look()
  }
  return { want, dialog: wanted !== undefined && <Sure api={api} wanted={wanted} close={close} /> }
}

/** Whoever closes it stops it; what is done stays done. */
function Sure({ api, wanted: { deed, asked, found }, close }: { api: Api; wanted: Wanted; close(): void }) {
  const { say, count, find } = useWords()
  const { messages, held, locations, upTo } = found
  const isRetry = deed === 'retry'
  const [done, setDone] = useState<number>()
  const [outcome, setOutcome] = useState<'ended' | { readonly failure: unknown }>()
  const isHere = useIsHere()
  const run = async (): Promise<void> => {
    let all = 0
    let after: string | null = null
    setDone(all)
    try {
      while (upTo !== null && isHere.current) {
        const batch = await settle(api, deed, { ...asked, upTo, ...(after !== null && { after }) })
        if (batch === undefined) continue
        all += batch.done
        after = batch.after
        setDone(all)
        if (after === null) break
      }
      setOutcome('ended')
    } catch (failure) {
      setOutcome({ failure })
    }
  }
  const progress = say('syncs.progress', { done: done ?? 0, total: messages })
  return (
    <Dialog title={count(titleOf(deed, asked.state), messages)} close={close}>
      {upTo === null ? (
        <p>{say('letters.none')}</p>
      ) : done === undefined ? (
        <p>
          {[
            count(isRetry ? 'all.goOut' : 'all.dropped', messages),
            asked.locationId === undefined && count('all.places', locations),
            isRetry && held === messages && count('all.late', held),
            !isRetry && held > 0 && held < messages && count('all.held', held),
            say('all.noLater'),
          ]
            .filter(Boolean)
            .join(' ')}
        </p>
      ) : (
        <>
          <progress aria-label={progress} max={messages} value={outcome === 'ended' ? messages : done} />
          <p role="status">{outcome === 'ended' ? count('all.done', done) : progress}</p>
        </>
      )}
      {typeof outcome === 'object' && (
        <p class="failure" role="alert">
          {failureWords(outcome.failure, find)}
        </p>
      )}
      <div class="actions">
        {done === undefined && upTo !== null && (
          <Button kind={isRetry ? 'main' : 'danger'} act={run}>
            {count(isRetry ? 'all.sendYes' : 'all.discardYes', messages)}
          </Button>
        )}
        <Button kind={outcome === undefined ? 'plain' : 'main'} act={async () => close()}>
          {say(outcome !== undefined ? 'done' : done === undefined ? 'cancel' : 'all.stop')}
        </Button>
      </div>
    </Dialog>
  )
}

/** One batch; `undefined` when it was refused for its haste, after a pause. */
async function settle(
  api: Api,
  deed: Offer['deed'],
  body: Asked & { upTo: string; after?: string },
): Promise<{ done: number; after: string | null } | undefined> {
  try {
    return await got(
      deed === 'retry'
        ? api.POST('/api/messages/retry', { body })
        : api.POST('/api/messages/discard', { body }),
    )
  } catch (thrown) {
    if (!(thrown instanceof Failure) || thrown.status !== 429) throw thrown
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    return undefined
  }
}

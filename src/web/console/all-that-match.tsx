/** Sends or discards all that match, not only those on the screen: first it is said how many of how many locations, then they are done batch by batch. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { type Api, got } from '../api/client.ts'
import { Button } from '../parts/button.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { failureWords } from '../parts/problem-words.ts'
import { useWords } from '../words/spoken.tsx'
import { Shown } from './parts.tsx'
import { useConsole, useLoaded } from './use-console.ts'

type Deed = 'retry' | 'discard'

interface Asked {
  readonly state: 'failed' | 'held'
  readonly locationId?: string
}

export function AllThatMatch({
  state,
  locationId,
  total,
  look,
}: {
  state: Asked['state']
  locationId: string | undefined
  total: number
  look(): Promise<void>
}) {
  const { count } = useWords()
  const [deed, setDeed] = useState<Deed>()
  const words = {
    retry: state === 'held' ? 'letters.sendAll' : 'letters.retryAll',
    discard: 'letters.discardAll',
  } as const
  const close = () => {
    setDeed(undefined)
    void look()
  }
  return (
    <div class="actions">
      <Button kind="plain" act={async () => setDeed('retry')}>
        {count(words.retry, total)}
      </Button>
      <Button kind="quiet-danger" act={async () => setDeed('discard')}>
        {count(words.discard, total)}
      </Button>
      {deed !== undefined && (
        <Dialog title={count(words[deed], total)} close={close}>
          <Settle
            deed={deed}
            asked={{ state, ...(locationId !== undefined && { locationId }) }}
            close={close}
          />
        </Dialog>
      )}
    </div>
  )
}

const post = (api: Api, deed: Deed, body: Asked & { upTo: string; after?: string }) =>
  got(
    deed === 'retry'
      ? api.POST('/api/messages/retry', { body })
      : api.POST('/api/messages/discard', { body }),
  )

function Settle({ deed, asked, close }: { deed: Deed; asked: Asked; close(): void }) {
  const { say, count, find } = useWords()
  const { api } = useConsole()
  /** As it is now: the page behind may be a moment old. */
  const waiting = useLoaded(() => got(api.GET('/api/messages/waiting', { params: { query: asked } })), [api])
  const [done, setDone] = useState<number>()
  const [outcome, setOutcome] = useState<'ended' | { readonly failure: unknown }>()
  const isHere = useRef(true)
  useEffect(
    () => () => {
      isHere.current = false
    },
    [],
  )
  const run = async (upTo: string): Promise<void> => {
    let all = 0
    let after: string | null = null
    setDone(0)
    try {
      do {
        const settled: { done: number; after: string | null } = await post(api, deed, {
          ...asked,
          upTo,
          ...(after !== null && { after }),
        })
        all += settled.done
        after = settled.after
        setDone(all)
        // Whoever closes the dialog stops it; what is done stays done.
      } while (after !== null && isHere.current)
      setOutcome('ended')
    } catch (failure) {
      setOutcome({ failure })
    }
  }
  return (
    <Shown of={waiting} isEmpty={({ messages }) => messages === 0} empty={<p>{say('letters.none')}</p>}>
      {({ messages, locations, upTo }) =>
        done === undefined ? (
          <>
            <p>
              {count(deed === 'retry' ? 'letters.wouldSend' : 'letters.wouldDiscard', messages)}{' '}
              {count('letters.places', locations)} {say('letters.noLater')}
            </p>
            <div class="actions">
              <Button
                kind={deed === 'retry' ? 'main' : 'danger'}
                act={async () => {
                  if (upTo !== null) await run(upTo)
                }}
              >
                {say(deed === 'retry' ? 'letters.sendYes' : 'letters.discardYes')}
              </Button>
              <Button kind="plain" act={async () => close()}>
                {say('cancel')}
              </Button>
            </div>
          </>
        ) : (
          <>
            <progress
              aria-label={say('syncs.progress', { done, total: messages })}
              max={messages}
              value={outcome === 'ended' ? messages : done}
            />
            <p role="status">
              {outcome === 'ended'
                ? count('letters.settled', done)
                : say('syncs.progress', { done, total: messages })}
            </p>
            {typeof outcome === 'object' && (
              <p class="failure" role="alert">
                {failureWords(outcome.failure, find)}
              </p>
            )}
            {outcome !== undefined && (
              <div class="actions">
                <Button act={async () => close()}>{say('done')}</Button>
              </div>
            )}
          </>
        )
      }
    </Shown>
  )
}

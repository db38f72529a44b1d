import { useCallback, useState } from 'preact/hooks'
import { type Api, got, type Session } from '../api/client.ts'
import { Button } from '../parts/button.tsx'
import { Copy, isCopied } from '../parts/copy.tsx'
import { Pairing } from '../parts/pairing.tsx'
import { useWords } from '../words/spoken.tsx'

export interface PairNumberProps {
  readonly api: Api
  /** Undefined for the moment in which the list does not have it yet. */
  readonly session: Session | undefined
  done(): void
}

export function PairNumber({ api, session, done }: PairNumberProps) {
  const { say } = useWords()
  const restart = useCallback(
    async (phoneNumber?: string) => {
      if (session !== undefined) await restartSession(api, session, phoneNumber)
    },
    [api, session],
  )
  if (session === undefined) return <p>{say('pair.wait')}</p>
  return (
    <>
      <Pairing
        heading="h3"
        state={session}
        restart={restart}
        whenReady={<Button act={async () => done()}>{say('done')}</Button>}
      />
      {session.status !== 'ready' && <PairingLink api={api} session={session} />}
    </>
  )
}

/** The phone may be far away: its owner gets a link. */
export function PairingLink({ api, session }: { api: Api; session: Session }) {
  const { say } = useWords()
  const [link, setLink] = useState<{ readonly url: string; readonly isCopied: boolean }>()
  const make = async (): Promise<void> => {
    const path = { locationId: session.locationId, id: session.id }
    const { url } = await got(
      api.POST('/ghl/location/{locationId}/session/{id}/pairing-link', { params: { path } }),
    )
    setLink({ url, isCopied: await isCopied(url) })
  }
  return (
    <div class="aside">
      <Button kind="quiet" act={make}>
        {say('link.make')}
      </Button>
      {link !== undefined && (
        <div role="status">
          <p class="muted small">{say(link.isCopied ? 'link.copied' : 'link.copy')}</p>
          <div class="with-button">
            <input
              readOnly
              aria-label={say('link.make')}
              value={link.url}
              onFocus={({ currentTarget }) => currentTarget.select()}
            />
            <Copy text={link.url} />
          </div>
        </div>
      )}
    </div>
  )
}

export async function restartSession(api: Api, session: Session, phoneNumber?: string): Promise<void> {
  const path = { locationId: session.locationId, id: session.id }
  const body = phoneNumber === undefined ? {} : { phoneNumber }
  await got(api.POST('/ghl/location/{locationId}/session/{id}/restart', { params: { path }, body }))
}

import { useCallback, useState } from 'preact/hooks'
import { type Api, got, type Session } from '../api/client.ts'
import { Button } from '../parts/button.tsx'
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
  const [url, setUrl] = useState<string>()
  const [isCopied, setCopied] = useState(false)
  const make = async (): Promise<void> => {
    const path = { locationId: session.locationId, id: session.id }
    const made = await got(
      api.POST('/ghl/location/{locationId}/session/{id}/pairing-link', { params: { path } }),
    )
    setUrl(made.url)
    // A frame may not be allowed to; the link is shown in any case.
    await navigator.clipboard.writeText(made.url).then(
      () => setCopied(true),
      () => undefined,
    )
  }
  return (
    <div class="aside">
      <Button kind="quiet" act={make}>
        {say('link.make')}
      </Button>
      {url !== undefined && (
        <div role="status">
          <p class="muted small">{isCopied ? say('link.copied') : say('link.copy')}</p>
          <input
            readOnly
            aria-label={say('link.make')}
            value={url}
            onFocus={({ currentTarget }) => currentTarget.select()}
          />
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
